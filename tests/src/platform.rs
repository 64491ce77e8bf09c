use std::path::Path;

use anyhow::{Context, Result};
use dotdo_names::Environment;
use reqwest::{Method, Request, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    client::Answer,
    launch::{Launched, Options, Ready},
    script::Script,
    shared::Shared,
};

/// A running platform.
#[derive(Debug)]
pub struct Platform {
    launched: Launched,
    http: reqwest::Client,
    options: Options,
    state: TempDir,
}

impl Platform {
    /// Starts a platform with an empty state folder.
    ///
    /// # Panics
    /// When it does not start: no test can go on without it.
    #[must_use]
    pub fn start(options: Options) -> Self {
        Self::try_start(options).expect("the platform starts")
    }

    /// Starts a platform with an empty state folder.
    ///
    /// # Errors
    /// When it does not start; what it prints says why.
    pub fn try_start(options: Options) -> Result<Self> {
        let state = TempDir::with_prefix("dotdo-").context("no folder for the state")?;
        let launched = Launched::start(&options, state.path())?;
        Ok(Self {
            launched,
            http: client(),
            options,
            state,
        })
    }

    /// The platform that all tests of one program share, as `npm run dev` starts it with the REST API in front.
    pub fn shared() -> &'static Self {
        static SHARED: Shared = Shared::new(|| Options::new().rest_api());
        SHARED.get()
    }

    /// Stops it in an orderly way and starts it again on the same state.
    #[must_use]
    pub fn restart(self) -> Self {
        self.again(Launched::stop)
    }

    /// Stops it in an orderly way and starts it again on the same state folder, with other options.
    #[must_use]
    pub fn restart_with(mut self, options: Options) -> Self {
        self.options = options;
        self.again(Launched::stop)
    }

    /// Kills it as a power cut would and starts it again on the same state.
    #[must_use]
    pub fn kill_and_restart(self) -> Self {
        self.again(Launched::kill)
    }

    /// Kills what watches over it, which leaves wrangler and the runtime behind, and starts it again on the same state.
    #[must_use]
    pub fn kill_watcher_and_restart(self) -> Self {
        self.again(Launched::kill_watcher)
    }

    /// Stops it in an orderly way.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(self) {
        self.launched.stop().expect("the platform ends");
    }

    fn again(self, end: impl FnOnce(Launched) -> Result<()>) -> Self {
        let Self {
            launched,
            options,
            state,
            ..
        } = self;
        end(launched).expect("the platform ends");
        let launched = Launched::start(&options, state.path()).expect("the platform starts again");
        Self {
            launched,
            http: client(),
            options,
            state,
        }
    }

    /// Its one port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ready().port
    }

    /// `CLOUDFLARE_API_BASE_URL` for its clients.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.ready().base_url
    }

    /// `CLOUDFLARE_API_TOKEN` for its clients.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.ready().token
    }

    /// `CLOUDFLARE_ACCOUNT_ID` for its clients.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.ready().account
    }

    /// The process group of wrangler and the runtime.
    #[must_use]
    pub fn group(&self) -> i32 {
        self.ready().group
    }

    /// Its state folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    fn ready(&self) -> &Ready {
        &self.launched.ready
    }

    /// A request to a host of the platform. `path` begins with a slash and may have a query.
    pub fn request(&self, method: Method, host: &str, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("http://127.0.0.1:{}{path}", self.port()))
            .header("Host", host)
    }

    /// Sends a request that was built by hand.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn execute(&self, request: Request) -> Result<Response> {
        Ok(self.http.execute(request).await?)
    }

    /// What a GET of a host and path answers, read whole.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, host: &str, path: &str) -> Result<Answer> {
        Answer::read(self.request(Method::GET, host, path).send().await?).await
    }

    /// A call of the REST API or of the deploy API, by its path behind the origin, with the platform's token.
    pub fn api(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(self.token())
    }

    /// The same call without a token.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("http://localhost:{}{path}", self.port()))
    }

    /// The path of a script in the REST API.
    #[must_use]
    pub fn script_path(&self, environment: Environment, name: &str) -> String {
        format!(
            "/client/v4/accounts/{}/workers/dispatch/namespaces/{}/scripts/{name}",
            self.account(),
            environment.namespace()
        )
    }

    /// Deploys a script with the one call that a deploy ends in, without wrangler.
    ///
    /// # Errors
    /// When it is refused, with the answer.
    pub async fn deploy(&self, environment: Environment, name: &str, script: &Script) -> Result<Value> {
        let call = self.api(Method::PUT, &self.script_path(environment, name));
        let answer = Answer::read(call.multipart(script.to_form()).send().await?).await?;
        let body = answer.json();
        anyhow::ensure!(
            answer.status == 200,
            "{name} is refused ({}): {body}",
            answer.status
        );
        body.get("result").cloned().context("an answer without a result")
    }

    /// Deletes a script.
    ///
    /// # Errors
    /// When it is refused, with the answer.
    pub async fn delete(&self, environment: Environment, name: &str) -> Result<()> {
        let call = self.api(Method::DELETE, &self.script_path(environment, name));
        let answer = Answer::read(call.send().await?).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        Ok(())
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // A client is used from the runtimes of several tests; a pooled connection belongs to the one that opened it.
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client without TLS")
}
