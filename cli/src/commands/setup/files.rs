//! The files of the clone that name the account: `dotdo.jsonc`, and those whose lines follow from it.

use std::collections::BTreeMap;
use std::fs::{self, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER, DISPATCH_WORKER, Environment, LOGS_WORKER};
use serde::Deserialize;
use serde_json::{Value, json};
use wrangler_config::{ACCOUNT_FILE, PlatformWorker, Setting, Zones};

use super::edit::{changed, shown};
use crate::clone;
use crate::failure::Failure;
use crate::replaced_file::{Access, replace};

/// The ids of the namespaces by their names, as far as they exist.
pub type NamespaceIds = BTreeMap<&'static str, String>;

/// The clone whose files are written.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    zones: RoutedZones,
}

/// The zones of `dotdo.jsonc`.
#[derive(Debug, Default, Deserialize)]
pub struct RoutedZones {
    /// The zones whose requests go to the dispatch Worker.
    #[serde(rename = "zones")]
    pub routed: Vec<String>,
    /// The zone of custom hostnames, if there is one.
    #[serde(rename = "custom_hostname_zone")]
    pub custom_hostnames: Option<String>,
}

impl Repository {
    /// The clone around the current folder. Its `dotdo.jsonc` must be the one with which this program was built, except for the ids of
    /// namespaces and the zones.
    ///
    /// # Errors
    /// If there is none, or it was changed since.
    pub fn find() -> Result<Self, Failure> {
        let folder = std::env::current_dir().unwrap_or_default();
        let root = clone::root(&folder).ok_or_else(|| {
            Failure::usage(
                "setup deploys the Workers of the platform, and this folder is not in a clone of it",
                "Change to the folder with dotdo.jsonc, and type `npm run dotdo -- setup`.",
            )
        })?;
        let mut repository = Self {
            root,
            zones: RoutedZones::default(),
        };
        let account = repository.read(ACCOUNT_FILE)?;
        if let Some(pointer) = changed_since_build(&account) {
            return Err(Failure::usage(
                format!("{pointer} of dotdo.jsonc was changed after this program was built"),
                "Type `npm run dotdo -- setup`, which builds it again.",
            ));
        }
        repository.zones = serde_json::from_value(account).map_err(|error| {
            Failure::usage(
                format!("the zones of {ACCOUNT_FILE} are not valid: {error}"),
                "Correct the file.",
            )
        })?;
        Ok(repository)
    }

    /// The zones of its `dotdo.jsonc`.
    #[must_use]
    pub const fn zones(&self) -> &RoutedZones {
        &self.zones
    }

    /// Every value that belongs to the account.
    fn settings(&self, ids: &NamespaceIds) -> Vec<Setting> {
        let routed: Vec<&str> = self.zones.routed.iter().map(String::as_str).collect();
        let zones = Zones {
            routed: &routed,
            custom_hostnames: self.zones.custom_hostnames.as_deref(),
        };
        wrangler_config::settings(zones, |environment| ids.get(environment.namespace()).cloned())
    }

    /// Its top folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Prevents that another process sets up from this clone, until the result is dropped.
    ///
    /// # Errors
    /// If another one does.
    pub fn lock(&self) -> Result<fs::File, Failure> {
        let failed = |error: io::Error| {
            Failure::usage(
                format!("{} cannot be locked: {error}", self.root.display()),
                "Correct that, and type the same command again.",
            )
        };
        // The lock of a folder creates no file, and ends with the process.
        let folder = fs::File::open(&self.root).map_err(failed)?;
        folder.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Failure::refused(
                format!("another `dotdo setup` runs in {}", self.root.display()),
                "Wait for its end, and type the same command again.",
            ),
            TryLockError::Error(error) => failed(error),
        })?;
        Ok(folder)
    }

    /// The bucket of the deploy API.
    ///
    /// # Errors
    /// If its configuration names none.
    pub fn bucket(&self) -> Result<String, Failure> {
        let file = PlatformWorker::DeployApi.configuration();
        let configuration = self.read(file)?;
        let buckets = configuration.get("r2_buckets").and_then(Value::as_array);
        buckets
            .into_iter()
            .flatten()
            .find(|bucket| bucket.get("binding") == Some(&json!("BUNDLES")))
            .and_then(|bucket| bucket.get("bucket_name")?.as_str().map(str::to_owned))
            .ok_or_else(|| {
                Failure::usage(
                    format!("{file} has no bucket with the binding BUNDLES"),
                    format!("Type `git checkout {file}`."),
                )
            })
    }

    /// Whether a Worker has an address at workers.dev, by its configuration.
    ///
    /// # Errors
    /// If the configuration cannot be read.
    pub fn has_address(&self, worker: PlatformWorker) -> Result<bool, Failure> {
        let configuration = self.read(worker.configuration())?;
        Ok(configuration.get("workers_dev").and_then(Value::as_bool) != Some(false))
    }

    /// The places that differ from `dotdo.jsonc` and from the account, by file.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn differences(&self, ids: &NamespaceIds) -> Result<BTreeMap<&'static str, Vec<String>>, Failure> {
        let mut differences: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (file, settings) in by_file(self.settings(ids)) {
            let text = self.text(file)?;
            for setting in settings {
                if changed(&setting, &text)?.is_some() {
                    differences.entry(file).or_default().push(shown(&setting));
                }
            }
        }
        Ok(differences)
    }

    /// Writes the places of a file that differ, and nothing else of it. The file is replaced as a whole.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn write(&self, file: &str, ids: &NamespaceIds) -> Result<(), Failure> {
        let mut text = self.text(file)?;
        for (_, settings) in by_file(self.settings(ids))
            .into_iter()
            .filter(|(name, _)| *name == file)
        {
            for setting in settings {
                if let Some(other) = changed(&setting, &text)? {
                    text = other;
                }
            }
        }
        let path = self.root.join(file);
        replace(&path, Access::Kept, |file| file.write_all(text.as_bytes())).map_err(|error| {
            Failure::usage(
                format!("{} cannot be written: {error}", path.display()),
                "Correct that, and type the same command again.",
            )
        })
    }

    fn read(&self, file: &str) -> Result<Value, Failure> {
        wrangler_config::read(&self.root.join(file))
            .map_err(|error| Failure::usage(format!("{file}: {error:#}"), "Correct the file."))
    }

    fn text(&self, file: &str) -> Result<String, Failure> {
        fs::read_to_string(self.root.join(file)).map_err(|error| {
            Failure::usage(
                format!("{file} cannot be read: {error}"),
                format!("Type `git checkout {file}`."),
            )
        })
    }
}

/// The member of `dotdo.jsonc` that differs from the constants of this program.
fn changed_since_build(account: &Value) -> Option<String> {
    let mut expected = vec![
        ("account.id".to_owned(), json!(ACCOUNT_ID)),
        ("workers.dispatch".to_owned(), json!(DISPATCH_WORKER)),
        ("workers.deploy_api".to_owned(), json!(DEPLOY_API_WORKER)),
        ("workers.logs".to_owned(), json!(LOGS_WORKER)),
    ];
    expected.extend(Environment::ALL.map(|environment| {
        (
            format!("namespaces.{}.name", environment.name()),
            json!(environment.namespace()),
        )
    }));
    expected.into_iter().find_map(|(member, value)| {
        let pointer = format!("/{}", member.replace('.', "/"));
        let found = account.pointer(&pointer).unwrap_or(&Value::Null);
        (*found != value).then_some(member)
    })
}

fn by_file(settings: Vec<Setting>) -> BTreeMap<&'static str, Vec<Setting>> {
    let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for setting in settings {
        files.entry(setting.file).or_default().push(setting);
    }
    files
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use wrangler_config::ENV_FILE;

    use super::*;

    const ID: &str = "00000000-0000-4000-8000-00000000000";

    fn top() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
    }

    fn ids() -> NamespaceIds {
        Environment::ALL
            .iter()
            .enumerate()
            .map(|(index, environment)| (environment.namespace(), format!("{ID}{index}")))
            .collect()
    }

    /// A copy of the files that setup writes.
    fn copy() -> (TempDir, Repository) {
        let folder = TempDir::new().unwrap();
        let repository = Repository {
            root: folder.path().to_owned(),
            zones: RoutedZones::default(),
        };
        for file in by_file(repository.settings(&ids())).into_keys() {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(top().join(file), path).unwrap();
        }
        (folder, repository)
    }

    #[test]
    fn only_the_ids_are_written_and_everything_else_stays() {
        let (_folder, repository) = copy();
        let before = repository.text(ACCOUNT_FILE).unwrap();
        let differences = repository.differences(&ids()).unwrap();
        assert_eq!(
            differences.keys().copied().collect::<Vec<_>>(),
            [ENV_FILE, ACCOUNT_FILE]
        );
        assert_eq!(
            differences[ACCOUNT_FILE][0],
            format!("namespaces.production.id: {ID}0")
        );
        for file in differences.keys() {
            repository.write(file, &ids()).unwrap();
        }
        assert!(repository.differences(&ids()).unwrap().is_empty());
        let expected = Environment::ALL.iter().fold(before, |text, environment| {
            text.replace(environment.namespace_id(), &ids()[environment.namespace()])
        });
        assert_eq!(repository.text(ACCOUNT_FILE).unwrap(), expected);
        assert_eq!(changed_since_build(&repository.read(ACCOUNT_FILE).unwrap()), None);
    }

    #[test]
    fn the_files_of_another_account_are_made_to_follow() {
        let (folder, repository) = copy();
        let present: NamespaceIds = Environment::ALL
            .iter()
            .map(|environment| (environment.namespace(), environment.namespace_id().to_owned()))
            .collect();
        let files = [
            "wrangler.jsonc",
            "logs/wrangler.jsonc",
            "deploy-api/wrangler.jsonc",
            ENV_FILE,
        ];
        let originals = files.map(|file| repository.text(file).unwrap());
        for file in files {
            let text = repository.text(file).unwrap();
            let other = text
                .replace(ACCOUNT_ID, &"0".repeat(32))
                .replace("\"namespace\": \"dotdo-", "\"namespace\": \"other-")
                .replace("=https://deploy-api.", "=https://other.")
                .replace("_PRODUCTION=dotdo-production", "_PRODUCTION=other")
                .replace("\"service\": \"logs\"", "\"service\": \"other-logs\"")
                .replace("\"name\": \"deploy-api\"", "\"name\": \"other-api\"");
            assert_ne!(text, other);
            fs::write(folder.path().join(file), other).unwrap();
        }
        for file in repository.differences(&present).unwrap().keys() {
            repository.write(file, &present).unwrap();
        }
        for (file, original) in files.iter().zip(originals) {
            assert_eq!(repository.text(file).unwrap(), original, "{file}");
        }
        assert_eq!(repository.bucket().unwrap(), "dotdo-bundles");
    }

    #[test]
    fn a_file_without_the_place_is_an_error_that_names_it() {
        let (folder, repository) = copy();
        fs::write(folder.path().join("logs/wrangler.jsonc"), "[]").unwrap();
        let failure = repository.differences(&ids()).unwrap_err().text();
        assert!(
            failure.contains("logs/wrangler.jsonc") && failure.contains("git diff"),
            "{failure}"
        );
    }

    #[test]
    fn two_processes_do_not_set_up_from_one_clone() {
        let (_folder, repository) = copy();
        let lock = repository.lock().unwrap();
        let failure = repository.lock().unwrap_err().text();
        assert!(failure.contains("another `dotdo setup`"), "{failure}");
        drop(lock);
        repository.lock().unwrap();
    }
}
