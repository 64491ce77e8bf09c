use std::fs;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::State;

/// The secrets that the Workers of one local platform share. They are generated once for each state folder.
#[derive(Deserialize, Serialize)]
pub struct Secrets {
    /// The only token that the local REST API accepts: the deploy API's `CLOUDFLARE_API_TOKEN`.
    pub rest_api_token: String,
    /// The token of the deploy API's bootstrap administrator.
    pub bootstrap_token: String,
    /// The deploy API's key for checkpoints of the audit log, 32 bytes in hexadecimal.
    pub checkpoint_key: String,
}

const FILE: &str = "secrets.json";

impl Secrets {
    /// Reads the secrets of the state folder, or generates them.
    ///
    /// # Errors
    /// When the file is damaged, or cannot be read or written.
    pub fn load_or_generate(state: &State) -> Result<Self> {
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
    getrandom::fill(&mut bytes).context("cannot generate random numbers")?;
    Ok(bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
