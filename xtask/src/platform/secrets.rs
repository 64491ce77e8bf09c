use std::fs;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::State;

/// What the parts of one local platform prove themselves to each other with. Made once for a state folder.
#[derive(Deserialize, Serialize)]
pub struct Secrets {
    /// The one token that the local REST API accepts: the deploy API's `CLOUDFLARE_API_TOKEN`.
    pub rest_api_token: String,
    /// The deploy API's bootstrap administrator.
    pub bootstrap_token: String,
    /// The deploy API's key for checkpoints of the audit log, 32 bytes in hexadecimal.
    pub checkpoint_key: String,
}

const FILE: &str = "secrets.json";

impl Secrets {
    /// Those of the state folder.
    ///
    /// # Errors
    /// When they can be neither read nor made.
    pub fn load_or_make(state: &State) -> Result<Self> {
        let path = state.path(FILE);
        if path.exists() {
            let text = fs::read_to_string(&path)?;
            return serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged: start with --reset", path.display()));
        }
        let secrets = Self {
            rest_api_token: random()?,
            bootstrap_token: random()?,
            checkpoint_key: random()?,
        };
        state.write_private(FILE, &serde_json::to_string_pretty(&secrets)?)?;
        Ok(secrets)
    }
}

/// 32 random bytes in hexadecimal.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
