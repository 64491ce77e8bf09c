use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Platform,
    wrangler::{self, Run, Version},
};

/// A folder with a wrangler project, as a developer has one.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    configuration: Value,
}

impl Project {
    /// A project of a Worker that answers with the value of its variable `VERSION`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(name: &str) -> Result<Self> {
        let project = Self {
            folder: TempDir::with_prefix("dotdo-project-").context("no folder for a project")?,
            configuration: json!({
                "name": name,
                "main": "index.js",
                "compatibility_date": "2026-10-19",
                "vars": { "VERSION": "1" },
            }),
        };
        project
            .file(
                "index.js",
                "export default { fetch(request, env) { return new Response(env.VERSION); } };",
            )?
            .written()
    }

    /// With a file; folders on the way are made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Result<Self> {
        let path = self.path(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(self)
    }

    /// With a setting of `wrangler.json`; `null` removes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn setting(mut self, key: &str, value: Value) -> Result<Self> {
        let settings = self.configuration.as_object_mut().context("no object")?;
        if value.is_null() {
            settings.remove(key);
        } else {
            settings.insert(key.to_owned(), value);
        }
        self.written()
    }

    /// With a value of its variable `VERSION`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn version(self, version: &str) -> Result<Self> {
        self.setting("vars", json!({ "VERSION": version }))
    }

    fn written(self) -> Result<Self> {
        let text = self.configuration.to_string();
        self.file("wrangler.json", text)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A run of wrangler in it, to be changed before it begins.
    #[must_use]
    pub fn call<'a>(&'a self, platform: &'a Platform, version: Version) -> wrangler::Call<'a> {
        wrangler::Call::new(platform, version, self.folder())
    }

    /// Runs wrangler in it, with the platform's own token.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn wrangler(&self, platform: &Platform, version: Version, arguments: &[&str]) -> Result<Run> {
        wrangler::run(platform, version, self.folder(), arguments).await
    }

    /// Deploys it with wrangler into an environment's namespace, and insists on success.
    ///
    /// # Errors
    /// When wrangler fails, with all that it printed.
    pub async fn deploy(
        &self,
        platform: &Platform,
        version: Version,
        environment: dotdo_names::Environment,
    ) -> Result<Run> {
        self.wrangler(
            platform,
            version,
            &["deploy", "--dispatch-namespace", environment.namespace()],
        )
        .await?
        .success()
    }
}

impl Run {
    /// The run, when it succeeded.
    ///
    /// # Errors
    /// When it did not, with all that it printed.
    pub fn success(self) -> Result<Self> {
        anyhow::ensure!(self.succeeded, "wrangler failed:\n{}", self.output);
        Ok(self)
    }

    /// The run, when it failed.
    ///
    /// # Errors
    /// When it did not, with all that it printed.
    pub fn failure(self) -> Result<Self> {
        anyhow::ensure!(!self.succeeded, "wrangler did not fail:\n{}", self.output);
        Ok(self)
    }
}
