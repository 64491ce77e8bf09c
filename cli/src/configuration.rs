//! The wrangler configuration of a Worker: `wrangler.jsonc`, `wrangler.json` or `wrangler.toml`, as wrangler looks for it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::Failure;

/// The names of the file, in the order in which wrangler looks for them.
const NAMES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// The configuration in a folder, or in a file, and the path of the file.
///
/// # Errors
/// If there is none, or it cannot be parsed.
pub fn of(path: &Path) -> Result<(PathBuf, Value), Failure> {
    let file = if path.is_file() {
        Some(path.to_owned())
    } else {
        NAMES
            .iter()
            .map(|name| path.join(name))
            .find(|file| file.is_file())
    };
    let file = file.ok_or_else(|| {
        Failure::usage(
            format!(
                "{} has no wrangler.jsonc, wrangler.json or wrangler.toml",
                path.display()
            ),
            "Type `dotdo check DIR` with the folder of a Worker, or with its configuration file.",
        )
    })?;
    let value = read(&file)?;
    Ok((file, value))
}

fn read(file: &Path) -> Result<Value, Failure> {
    let invalid = |error: String| Failure::usage(format!("{}: {error}", file.display()), "Correct the file.");
    if file.extension().is_some_and(|extension| extension == "toml") {
        let text = fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
        return toml::from_str(&text).map_err(|error| invalid(error.to_string()));
    }
    wrangler_config::read(file).map_err(|error| invalid(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn toml_and_json_are_read_alike() {
        for (name, text) in [
            (
                "wrangler.toml",
                "name = \"agents\"\n[triggers]\ncrons = [\"* * * * *\"]\n",
            ),
            (
                "wrangler.jsonc",
                "{ // A comment.\n\"name\": \"agents\", \"triggers\": { \"crons\": [\"* * * * *\"] }, }",
            ),
        ] {
            let folder = TempDir::new().unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            for path in [folder.path().to_owned(), folder.path().join(name)] {
                let (file, value) = of(&path).unwrap();
                assert_eq!(file, folder.path().join(name));
                assert_eq!(
                    value,
                    json!({ "name": "agents", "triggers": { "crons": ["* * * * *"] } })
                );
            }
        }
    }

    #[test]
    fn a_folder_without_a_configuration_is_an_error_that_names_it() {
        let folder = TempDir::new().unwrap();
        assert!(of(folder.path()).unwrap_err().text().contains("wrangler.toml"));
        fs::write(folder.path().join("wrangler.toml"), "name = ").unwrap();
        assert!(of(folder.path()).unwrap_err().text().contains("line 1"));
    }
}
