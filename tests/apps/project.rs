//! A project of `tests/apps/projects`, and the platform to which it is deployed.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::{
    Answer, Command, Options, Platform, Shared, repository,
    wrangler::{self, Version},
};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// The environments to which every project is deployed.
pub const ENVIRONMENTS: [Environment; 2] = [Environment::Production, Environment::Staging];

/// A platform as `npm run dev` starts it.
pub fn platform() -> &'static Platform {
    static SHARED: Shared = Shared::new(Options::new);
    SHARED.get()
}

/// A prepared run of the wrangler that the projects pin.
fn wrangler(folder: &Path) -> wrangler::Call<'_> {
    wrangler::Call::new(platform(), Version::V4_152, folder)
        .with_program("tests/apps/node_modules/wrangler/bin/wrangler.js")
}

/// The address and the token of `account.env`, with which wrangler changes the data of the account.
fn account() -> Result<(String, String)> {
    Ok((
        platform().account_base_url(),
        platform().secret("rest_api_token")?,
    ))
}

/// A project. Its folder and its Worker have the same name.
#[derive(Clone, Copy, Debug)]
pub struct Project {
    name: &'static str,
    /// Whether `wrangler.jsonc` has an environment `staging`.
    has_environments: bool,
}

impl Project {
    /// A project with the same settings in each environment.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            has_environments: false,
        }
    }

    /// With separate settings for staging in `wrangler.jsonc`.
    pub const fn with_environments(mut self) -> Self {
        self.has_environments = true;
        self
    }

    /// Its folder.
    pub fn folder(self) -> PathBuf {
        repository().join("tests/apps/projects").join(self.name)
    }

    /// The host and the port of its Worker in an environment, as in the address bar of a browser.
    pub fn host(self, environment: Environment) -> String {
        let (name, port) = (self.name, platform().port());
        let label = environment.host_labels().first();
        label.map_or_else(
            || format!("{name}.localhost:{port}"),
            |label| format!("{label}.{name}.localhost:{port}"),
        )
    }

    /// The arguments of wrangler and of OpenNext that select the settings of an environment.
    fn selection(self, environment: Environment) -> Vec<&'static str> {
        // The settings for production are those at the top.
        match environment {
            Environment::Production => Vec::new(),
            _ if !self.has_environments => Vec::new(),
            other => vec!["--env", other.name()],
        }
    }

    /// Deploys it with the deploy API, with more arguments.
    ///
    /// # Errors
    /// When wrangler fails; the error contains its output.
    pub async fn deploy(self, environment: Environment, more: &[&str]) -> Result<()> {
        let mut arguments = vec!["deploy", "--dispatch-namespace", environment.namespace()];
        arguments.extend(self.selection(environment));
        arguments.extend(more);
        let folder = self.folder();
        let call = wrangler(&folder)
            // Otherwise wrangler starts `opennextjs-cloudflare deploy` in a project of OpenNext. That fills the cache first, with the
            // calls of an account, which the deploy API refuses.
            .with_variable("OPEN_NEXT_DEPLOY", "true");
        call.run(&arguments).await?.success()?;
        Ok(())
    }

    /// Runs a command of wrangler that changes the data of the account.
    ///
    /// # Errors
    /// When wrangler fails; the error contains its output.
    pub async fn change_data(self, environment: Environment, arguments: &[&str]) -> Result<()> {
        let mut arguments = arguments.to_vec();
        arguments.extend(self.selection(environment));
        let (base_url, token) = account()?;
        let folder = self.folder();
        let call = wrangler(&folder).at(&base_url).with_token(&token);
        call.run(&arguments).await?.success()?;
        Ok(())
    }

    /// Fills OpenNext's cache with the pages that the build rendered. OpenNext runs wrangler for it.
    ///
    /// # Errors
    /// When it fails; the error contains its output.
    pub async fn fill_cache(self, environment: Environment) -> Result<()> {
        let program = "tests/apps/node_modules/@opennextjs/cloudflare/dist/cli/index.js";
        let program = repository().join(program).display().to_string();
        let mut arguments = vec![program.as_str(), "populateCache", "remote"];
        arguments.extend(self.selection(environment));
        let (base_url, token) = account()?;
        let finished = Command::node(&arguments)
            .folder(&self.folder())
            .variable("CLOUDFLARE_API_BASE_URL", &base_url)
            .variable("CLOUDFLARE_API_TOKEN", &token)
            .variable("CLOUDFLARE_ACCOUNT_ID", platform().account())
            .run()
            .await?;
        ensure!(
            finished.succeeded,
            "{arguments:?}:\n{}{}",
            finished.output,
            finished.errors
        );
        Ok(())
    }

    /// A request to its Worker. `path` starts with a slash and may have a query.
    pub fn request(self, environment: Environment, method: Method, path: &str) -> RequestBuilder {
        platform().request(method, &self.host(environment), path)
    }

    /// The response to a GET of its Worker.
    ///
    /// # Errors
    /// When its status is not 200; the error contains the body.
    pub async fn get(self, environment: Environment, path: &str) -> Result<Answer> {
        answer(self.request(environment, Method::GET, path), 200).await
    }

    /// The response to a POST of JSON to its Worker.
    ///
    /// # Errors
    /// When its status is not 201; the error contains the body.
    pub async fn post(self, environment: Environment, path: &str, body: &Value) -> Result<Answer> {
        answer(self.request(environment, Method::POST, path).json(body), 201).await
    }
}

/// Sends a request, whose response must have this status.
///
/// # Errors
/// When it has another status; the error contains the body.
pub async fn answer(request: RequestBuilder, status: u16) -> Result<Answer> {
    let request = request.build()?;
    let what = format!("{} {}", request.method(), request.url());
    let answer = Answer::read(platform().execute(request).await?).await?;
    ensure!(
        answer.status == status,
        "the response to {what} is {}: {}",
        answer.status,
        answer.text()
    );
    Ok(answer)
}
