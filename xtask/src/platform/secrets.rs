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
    /// The deploy API's key for asset upload sessions and fingerprints of uploads, 32 bytes in hexadecimal.
    pub upload_key: String,
    /// The secret of the requests that come through the platform's port.
    pub front_secret: String,
    /// The secret of the reports of invocations to the supervisor.
    pub supervisor_secret: String,
}

const FILE: &str = "secrets.json";

/// The secrets as the file has them. A file of an earlier version lacks the later ones.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    rest_api_token: Option<String>,
    bootstrap_token: Option<String>,
    checkpoint_key: Option<String>,
    upload_key: Option<String>,
    front_secret: Option<String>,
    supervisor_secret: Option<String>,
}

impl Secrets {
    /// Reads the secrets of the state folder. Those that it does not have are generated and stored.
    ///
    /// # Errors
    /// When the file is damaged, or cannot be read or written.
    pub fn load_or_generate(state: &State) -> Result<Self> {
        let path = state.path(FILE);
        let text = if path.exists() {
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
        } else {
            "{}".to_owned()
        };
        let stored: Stored = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged: start with --reset", path.display()))?;
        let secrets = Self {
            rest_api_token: stored.rest_api_token.map_or_else(random, Ok)?,
            bootstrap_token: stored.bootstrap_token.map_or_else(random, Ok)?,
            checkpoint_key: stored.checkpoint_key.map_or_else(random, Ok)?,
            upload_key: stored.upload_key.map_or_else(random, Ok)?,
            front_secret: stored.front_secret.map_or_else(random, Ok)?,
            supervisor_secret: stored.supervisor_secret.map_or_else(random, Ok)?,
        };
        let complete = serde_json::to_string_pretty(&secrets)?;
        if complete != text {
            state.write_private(FILE, &complete)?;
        }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    fn stored(state: &State) -> Value {
        serde_json::from_str(&fs::read_to_string(state.path(FILE)).unwrap()).unwrap()
    }

    #[test]
    fn secrets_are_generated_once() {
        let folder = TempDir::new().unwrap();
        let state = State::at(folder.path()).unwrap();
        let first = Secrets::load_or_generate(&state).unwrap();
        let second = Secrets::load_or_generate(&state).unwrap();
        assert_eq!(first.upload_key.len(), 64);
        assert_eq!(first.upload_key, second.upload_key);
        assert_eq!(first.bootstrap_token, second.bootstrap_token);
    }

    #[test]
    fn a_file_of_an_earlier_version_keeps_its_secrets_and_gets_the_missing_ones() {
        let folder = TempDir::new().unwrap();
        let state = State::at(folder.path()).unwrap();
        let earlier = json!({ "rest_api_token": "a", "bootstrap_token": "b", "checkpoint_key": "c" });
        state.write_private(FILE, &earlier.to_string()).unwrap();
        let secrets = Secrets::load_or_generate(&state).unwrap();
        assert_eq!(secrets.upload_key.len(), 64);
        assert_eq!(
            stored(&state),
            json!({
                "rest_api_token": "a",
                "bootstrap_token": "b",
                "checkpoint_key": "c",
                "upload_key": secrets.upload_key,
                "front_secret": secrets.front_secret,
                "supervisor_secret": secrets.supervisor_secret,
            })
        );
    }

    #[test]
    fn a_damaged_file_is_an_error_and_stays() {
        let folder = TempDir::new().unwrap();
        let state = State::at(folder.path()).unwrap();
        state.write_private(FILE, "{").unwrap();
        assert!(Secrets::load_or_generate(&state).is_err());
        assert_eq!(fs::read_to_string(state.path(FILE)).unwrap(), "{");
    }
}
