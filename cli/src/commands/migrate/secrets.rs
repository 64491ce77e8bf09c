//! The values of the secrets of account Workers, which cannot be read from Cloudflare.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use secrecy::SecretString;

use super::plan_file::PlannedWorker;
use crate::failure::Failure;
use crate::private_file::is_readable_by_others;

/// Values by the name of the account Worker and the name of the secret.
#[derive(Debug, Default)]
pub struct SecretValues(BTreeMap<String, BTreeMap<String, SecretString>>);

impl SecretValues {
    /// Reads a file: `{"account-worker": {"NAME": "value"}}`.
    ///
    /// # Errors
    /// If it cannot be read, others can read it, or it has another form. The error does not quote the file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |what: String| {
            Failure::usage(
                format!("{} {what}", path.display()),
                "Write {\"account-worker\": {\"NAME\": \"value\"}}.",
            )
        };
        let unreadable = |error: io::Error| wrong(format!("cannot be read: {error}"));
        let opened = fs::File::open(path).map_err(unreadable)?;
        let metadata = opened.metadata().map_err(unreadable)?;
        if metadata.is_file() && is_readable_by_others(&metadata) {
            return Err(Failure::usage(
                format!("other users of this machine can read {}", path.display()),
                format!("Type `chmod 600 {}`.", path.display()),
            ));
        }
        let text = io::read_to_string(opened).map_err(unreadable)?;
        // The error of the parser could quote a secret.
        serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map(Self)
            .map_err(|error| {
                wrong(format!(
                    "has no secrets in the right form, see line {}",
                    error.line()
                ))
            })
    }

    /// Checks that every Worker of the file is in the plan, so that no value is ignored because of a typing error.
    ///
    /// # Errors
    /// If one is not.
    pub fn check(&self, planned: &[PlannedWorker]) -> Result<(), Failure> {
        let unknown = self
            .0
            .keys()
            .find(|name| planned.iter().all(|worker| worker.from != **name));
        unknown.map_or(Ok(()), |name| {
            Err(Failure::usage(
                format!("the file with secrets names {name}, which is not in the plan"),
                "Write the name that the Worker has in the account.",
            ))
        })
    }

    /// The values for a Worker. Values that are missing are asked for at a terminal; an empty answer leaves the secret out, which works if
    /// the Worker in the namespace has it already.
    ///
    /// # Errors
    /// If the terminal cannot be read.
    pub fn of(&self, worker: &PlannedWorker) -> Result<BTreeMap<String, SecretString>, Failure> {
        let mut values = self.0.get(&worker.from).cloned().unwrap_or_default();
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(values);
        }
        for name in &worker.secrets {
            if values.contains_key(name) {
                continue;
            }
            let prompt = format!(
                "Value of the secret {name} of {} (empty: it is set already): ",
                worker.from
            );
            let value = rpassword::prompt_password(prompt)?;
            if !value.is_empty() {
                values.insert(name.clone(), SecretString::from(value));
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;
    use tempfile::TempDir;

    use super::super::plan_file::tests::planned;
    use super::*;

    #[test]
    fn values_are_read_by_worker_and_name_and_never_shown() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("secrets.json");
        fs::write(&path, r#"{ "api": { "TOKEN": "marker" } }"#).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let failure = SecretValues::read(&path).unwrap_err().text();
        assert!(failure.contains("chmod 600"), "{failure}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let values = SecretValues::read(&path).unwrap();
        assert_eq!(values.0["api"]["TOKEN"].expose_secret(), "marker");
        assert!(!format!("{values:?}").contains("marker"));
        assert!(values.check(&[planned("api", "api")]).is_ok());
        assert!(
            values
                .check(&[planned("apo", "apo")])
                .unwrap_err()
                .text()
                .contains("api")
        );
        fs::write(&path, "{ \"api\": { \"TOKEN\": \"marker\n\" } }").unwrap();
        let failure = SecretValues::read(&path).unwrap_err().text();
        assert!(
            failure.contains("line") && !failure.contains("marker"),
            "{failure}"
        );
        assert!(SecretValues::read(&folder.path().join("none")).is_err());
    }
}
