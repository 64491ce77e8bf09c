//! The generated secrets of the deploy API, from before its first upload until setup is through.
//!
//! A run that is killed can leave a wrangler behind that still uploads the deploy API, before or after the upload of the next run. Both
//! uploads have the same keys, because each run takes those of the file, and stores new ones there before it uses them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use dotdo_names::ACCOUNT_ID;
use secrecy::{ExposeSecret as _, SecretString};

use super::deploy;
use crate::credentials;
use crate::failure::Failure;
use crate::private_file::{self, is_readable_by_others};

/// The keys of the file.
#[derive(Debug)]
pub struct Keys {
    file: PathBuf,
    values: BTreeMap<String, SecretString>,
}

/// The file of this user for the account of `dotdo.jsonc`.
///
/// # Errors
/// If this user has no folder for it.
pub fn file() -> Result<PathBuf, Failure> {
    Ok(credentials::stored_file()?.with_file_name(format!("setup-{ACCOUNT_ID}.json")))
}

impl Keys {
    /// The keys that an earlier run has left, if there are any.
    ///
    /// # Errors
    /// If the file cannot be read, others can read it, or it has another form.
    pub fn open(file: &Path) -> Result<Self, Failure> {
        let path = file.display();
        let unreadable = |error: io::Error| {
            Failure::usage(
                format!("{path} cannot be read: {error}"),
                "Correct that, and type the same command again.",
            )
        };
        let keys = |values| Self {
            file: file.to_owned(),
            values,
        };
        let opened = match fs::File::open(file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(keys(BTreeMap::new())),
            Err(error) => return Err(unreadable(error)),
        };
        if is_readable_by_others(&opened.metadata().map_err(unreadable)?) {
            return Err(Failure::usage(
                format!("other users of this machine can read {path}, which has keys of the deploy API"),
                format!(
                    "If others use this machine, remove the file and delete the deploy API. If not, type `chmod 600 {path}`."
                ),
            ));
        }
        // The error of the parser could quote a key.
        let values = io::read_to_string(opened).map_err(unreadable)?;
        let values = serde_json::from_str(&values).map_err(|error| {
            Failure::usage(
                format!(
                    "{path} does not have the keys of an earlier run, see line {}",
                    error.line()
                ),
                "Remove the file, and type the same command again.",
            )
        })?;
        Ok(keys(values))
    }

    /// A key. A new one is stored before it is returned.
    ///
    /// # Errors
    /// If the system has no random numbers, or the file cannot be written.
    pub fn get(&mut self, name: &str) -> Result<SecretString, Failure> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let value = deploy::random()?;
        self.values.insert(name.to_owned(), value.clone());
        let shown: BTreeMap<&str, &str> = self
            .values
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        serde_json::to_string(&shown)
            .map_err(io::Error::other)
            .and_then(|text| private_file::write(&self.file, &text))
            .map_err(|error| {
                Failure::usage(
                    format!("{} cannot be written: {error}", self.file.display()),
                    "Correct that, and type the same command again.",
                )
            })?;
        Ok(value)
    }

    /// Removes the file, when the deploy API has the keys.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn forget(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::usage(
                format!("{} cannot be removed: {error}", self.file.display()),
                "Remove it: it has keys of the deploy API.",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_run_takes_the_keys_of_the_run_before_it_until_setup_is_through() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("dotdo/setup.json");
        let mut first = Keys::open(&file).unwrap();
        let upload = first.get("UPLOAD_KEY").unwrap();
        let checkpoint = first.get("CHECKPOINT_KEY").unwrap();
        assert_ne!(upload.expose_secret(), checkpoint.expose_secret());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let mut second = Keys::open(&file).unwrap();
        assert_eq!(
            second.get("CHECKPOINT_KEY").unwrap().expose_secret(),
            checkpoint.expose_secret()
        );
        assert_eq!(
            second.get("UPLOAD_KEY").unwrap().expose_secret(),
            upload.expose_secret()
        );
        second.forget().unwrap();
        second.forget().unwrap();
        let mut third = Keys::open(&file).unwrap();
        assert_ne!(
            third.get("UPLOAD_KEY").unwrap().expose_secret(),
            upload.expose_secret()
        );
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_damaged_is_named_and_not_shown() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("setup.json");
        fs::write(&file, r#"{ "UPLOAD_KEY": "marker" }"#).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let failure = Keys::open(&file).unwrap_err().text();
        assert!(
            failure.contains("chmod 600") && !failure.contains("marker"),
            "{failure}"
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Keys::open(&file).is_ok());
        fs::write(&file, "{ \"UPLOAD_KEY\": marker }").unwrap();
        let failure = Keys::open(&file).unwrap_err().text();
        assert!(
            failure.contains("line 1") && !failure.contains("marker"),
            "{failure}"
        );
    }
}
