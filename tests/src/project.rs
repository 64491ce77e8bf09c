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

/// A folder with a wrangler project.
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
            folder: TempDir::with_prefix("dotdo-project-")
                .context("cannot create a folder for the project")?,
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

    /// With a file. Missing folders are created.
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
        let settings = self
            .configuration
            .as_object_mut()
            .context("the configuration is not an object")?;
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

    /// A prepared run of wrangler in it.
    #[must_use]
    pub fn call<'a>(&'a self, platform: &'a Platform, version: Version) -> wrangler::Call<'a> {
        wrangler::Call::new(platform, version, self.folder())
    }

    /// Runs wrangler in it, with the platform's own token.
    ///
    /// # Errors
    /// When it cannot be started or does not end before its deadline.
    pub async fn wrangler(&self, platform: &Platform, version: Version, arguments: &[&str]) -> Result<Run> {
        wrangler::run(platform, version, self.folder(), arguments).await
    }

    /// Deploys it with wrangler into an environment's namespace.
    ///
    /// # Errors
    /// When wrangler fails; the error contains its output.
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
    /// Returns a successful run.
    ///
    /// # Errors
    /// When it failed; the error contains its output.
    pub fn success(self) -> Result<Self> {
        anyhow::ensure!(self.succeeded, "wrangler failed:\n{}", self.output);
        Ok(self)
    }

    /// Returns a failed run.
    ///
    /// # Errors
    /// When it succeeded; the error contains its output.
    pub fn failure(self) -> Result<Self> {
        anyhow::ensure!(!self.succeeded, "wrangler did not fail:\n{}", self.output);
        Ok(self)
    }
}
