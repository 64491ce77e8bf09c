use std::{
    path::Path,
    process::{Child, Stdio},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    answer::Answer,
    deadline::until,
    ports::free_port,
    processes,
    programs::{node, repository},
    wrangler::Version,
};

/// A running `wrangler dev --local`, without an account. It stops when this value is dropped.
#[derive(Debug)]
pub struct WranglerDev {
    child: Child,
    port: u16,
    _state: TempDir,
}

impl WranglerDev {
    /// Starts it in the repository, and waits until it serves.
    ///
    /// # Errors
    /// When it does not serve within two minutes.
    pub async fn start() -> Result<Self> {
        Self::start_in(Version::V4_152, &repository()).await
    }

    /// Starts a version of it in a folder, without the variables of a platform, and waits until it serves.
    ///
    /// # Errors
    /// When it does not serve within two minutes.
    pub async fn start_in(version: Version, folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let state = TempDir::with_prefix("dotdo-wrangler-dev-")?;
        let child = node()
            .arg(repository().join(version.program()))
            .args(["dev", "--local", "--ip", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .args(["--inspector-port", "0"])
            .arg("--persist-to")
            .arg(state.path())
            .current_dir(folder)
            .env_remove("CLOUDFLARE_API_BASE_URL")
            .env_remove("CLOUDFLARE_API_TOKEN")
            .env_remove("CLOUDFLARE_ACCOUNT_ID")
            .env("WRANGLER_SEND_METRICS", "false")
            .env("WRANGLER_LOG_PATH", state.path())
            .env("WRANGLER_REGISTRY_PATH", state.path().join("registry"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start wrangler")?;
        let wrangler = Self {
            child,
            port,
            _state: state,
        };
        until("wrangler dev", async || {
            Ok(wrangler.get("localhost", "/").await.ok())
        })
        .await?;
        Ok(wrangler)
    }

    /// The response to a GET of a host and path.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn get(&self, host: &str, path: &str) -> Result<Answer> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client
            .get(format!("http://127.0.0.1:{}{path}", self.port))
            .header("Host", host);
        Answer::read(request.send().await?).await
    }
}

impl Drop for WranglerDev {
    fn drop(&mut self) {
        processes::kill_tree(self.child.id());
        // Otherwise the process would remain as a zombie.
        let _ = self.child.wait();
    }
}
