//! The file in which `dotdo login` stores the address and the token for this user.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::address::address;
use super::{Credentials, Source};
use crate::failure::Failure;
use crate::private_file;

/// The stored file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    api: String,
    token: String,
}

/// The file of `dotdo login`: `$XDG_CONFIG_HOME/dotdo/credentials.json`, or below `~/.config`.
///
/// # Errors
/// If there is no home folder.
pub fn stored_file() -> Result<PathBuf, Failure> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("XDG_CONFIG_HOME").or_else(|| env::home_dir().map(|home| home.join(".config")));
    folder
        .map(|folder| folder.join("dotdo/credentials.json"))
        .ok_or_else(|| Failure::usage("there is no home folder", "Set DOTDO_API and DOTDO_TOKEN."))
}

/// The stored credentials; `None` if there are none.
///
/// # Errors
/// If others can read the file, or it is damaged.
pub fn stored(file: &Path) -> Result<Option<Credentials>, Failure> {
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(file, &error)),
    };
    if private_file::is_readable_by_others(&metadata) {
        return Err(Failure::usage(
            format!("other users of this machine can read {}", file.display()),
            format!(
                "Type `chmod 600 {}`, and revoke the token if others use this machine.",
                file.display()
            ),
        ));
    }
    let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let document: Document = serde_json::from_str(&text).map_err(|error| unreadable(file, &error))?;
    Ok(Some(Credentials {
        api: address(&document.api)?,
        token: document.token.into(),
        source: Source::Stored(file.to_owned()),
    }))
}

fn unreadable(file: &Path, error: &dyn fmt::Display) -> Failure {
    Failure::usage(
        format!("{} cannot be read: {error}", file.display()),
        "Type `dotdo login` to write it again.",
    )
}

/// Stores credentials for this user only. The file is replaced as a whole, so that a program that is killed leaves the old or the new
/// one.
///
/// # Errors
/// If the file cannot be written.
pub fn store(file: &Path, api: &str, token: &SecretString) -> Result<(), Failure> {
    let document = Document {
        api: api.to_owned(),
        token: token.expose_secret().to_owned(),
    };
    private_file::write(file, &serde_json::to_string_pretty(&document).unwrap_or_default()).map_err(|error| {
        Failure::usage(
            format!("{} cannot be written: {error}", file.display()),
            "Set DOTDO_API and DOTDO_TOKEN instead.",
        )
    })
}

/// Removes the stored credentials. Returns whether there were any.
///
/// # Errors
/// If the file cannot be removed.
pub fn forget(file: &Path) -> Result<bool, Failure> {
    match fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::usage(
            format!("{} cannot be removed: {error}", file.display()),
            "Remove it yourself.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    const API: &str = "https://deploy-api.example.workers.dev";

    #[test]
    fn stored_credentials_are_private_and_replaced_as_a_whole() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("config/dotdo/credentials.json");
        assert!(stored(&file).unwrap().is_none());
        for token in ["dotdo_api_1", "dotdo_api_2"] {
            store(&file, API, &token.into()).unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&file), 0o600);
            assert_eq!(mode(file.parent().unwrap()), 0o700);
            let found = stored(&file).unwrap().unwrap();
            assert_eq!((found.api.as_str(), found.token.expose_secret()), (API, token));
        }
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        assert!(forget(&file).unwrap());
        assert!(!forget(&file).unwrap());
    }

    #[test]
    fn a_file_that_others_can_read_is_not_used() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("credentials.json");
        store(&file, API, &"dotdo_api_1".into()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let error = stored(&file).unwrap_err().text();
        assert!(error.contains("chmod 600"), "{error}");
        assert!(!error.contains("dotdo_api_1"), "{error}");
    }
}
