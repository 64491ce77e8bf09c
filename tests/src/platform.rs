use std::{path::Path, sync::OnceLock};

use anyhow::{Context, Result};
use dotdo_names::Environment;
use reqwest::{Method, Request, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{client::IntoClientRequest, handshake::client, http::HeaderValue},
};

use crate::{
    answer::Answer,
    launch::{Launched, Ready},
    options::Options,
    processes::{self, Process},
    script::Script,
};

/// A WebSocket to a user Worker.
pub type WebSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

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
    /// When it does not start.
    #[must_use]
    pub fn start(options: Options) -> Self {
        Self::try_start(options).expect("the platform starts")
    }

    /// Starts a platform with an empty state folder.
    ///
    /// # Errors
    /// When it does not start; the error contains its output.
    pub fn try_start(options: Options) -> Result<Self> {
        let state = TempDir::with_prefix("dotdo-").context("cannot create a state folder")?;
        let launched = Launched::start(&options, state.path())?;
        Ok(Self {
            launched,
            http: http_client(),
            options,
            state,
        })
    }

    /// The platform that all tests of one program share, as `npm run dev -- --api rest` starts it.
    pub fn shared() -> &'static Self {
        static SHARED: Shared = Shared::new(|| Options::new().rest_api());
        SHARED.get()
    }

    /// Stops it and starts it again on the same state folder.
    #[must_use]
    pub fn restart(self) -> Self {
        self.end_and_start(Launched::stop)
    }

    /// Stops it and starts it again on the same state folder, with other options.
    #[must_use]
    pub fn restart_with(mut self, options: Options) -> Self {
        self.options = options;
        self.end_and_start(Launched::stop)
    }

    /// Kills the runtime and its supervisor as a power failure would, and starts it again on the same state folder.
    #[must_use]
    pub fn kill_and_restart(self) -> Self {
        self.end_and_start(Launched::kill)
    }

    /// Kills the program that supervises the runtime, which leaves wrangler and the runtime running, and starts the
    /// platform again on the same state folder.
    #[must_use]
    pub fn kill_watcher_and_restart(self) -> Self {
        self.end_and_start(Launched::kill_watcher)
    }

    /// Stops it.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(self) {
        self.launched.stop().expect("the platform ends");
    }

    fn end_and_start(self, end: impl FnOnce(Launched) -> Result<()>) -> Self {
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
            http: http_client(),
            options,
            state,
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ready().port
    }

    /// `CLOUDFLARE_API_BASE_URL` for its clients.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.ready().base_url
    }

    /// `CLOUDFLARE_API_BASE_URL` for clients that change the data and the Workers of the account: that of `account.env`.
    #[must_use]
    pub fn account_base_url(&self) -> String {
        format!("http://localhost:{}/account/client/v4", self.port())
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

    /// The process group of wrangler and the runtime now.
    ///
    /// # Panics
    /// When the state folder does not name it.
    #[must_use]
    pub fn group(&self) -> i32 {
        self.launched.group().expect("the platform has a process group")
    }

    /// The running processes of wrangler and the runtime.
    ///
    /// # Errors
    /// When the system has no `/proc`.
    pub fn processes(&self) -> Result<Vec<Process>> {
        processes::in_group(self.group())
    }

    /// The process that supervises them.
    #[must_use]
    pub fn watcher(&self) -> i32 {
        self.ready().watcher
    }

    /// Its state folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    fn ready(&self) -> &Ready {
        &self.launched.ready
    }

    /// A request to a host of the platform. `path` starts with a slash and may have a query.
    pub fn request(&self, method: Method, host: &str, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("http://127.0.0.1:{}{path}", self.port()))
            .header("Host", host)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn execute(&self, request: Request) -> Result<Response> {
        Ok(self.http.execute(request).await?)
    }

    /// The response to a GET of a host and path.
    ///
    /// # Errors
    /// When there is no complete response.
    pub async fn get(&self, host: &str, path: &str) -> Result<Answer> {
        Answer::read(self.request(Method::GET, host, path).send().await?).await
    }

    /// Opens a WebSocket to a host and path, and returns it with the handshake's response.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn web_socket(
        &self,
        host: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(WebSocket, client::Response)> {
        let mut request = format!("ws://127.0.0.1:{}{path}", self.port()).into_client_request()?;
        request.headers_mut().insert("Host", HeaderValue::from_str(host)?);
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value)?);
        }
        connect_async(request)
            .await
            .with_context(|| format!("no WebSocket to {host}{path}"))
    }

    /// A call of the REST API or of the deploy API by its path, with the platform's token.
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

    /// Deploys a script with the last call of a deploy, without wrangler.
    ///
    /// # Errors
    /// When it is rejected, with the response.
    pub async fn deploy(&self, environment: Environment, name: &str, script: &Script) -> Result<Value> {
        let call = self.api(Method::PUT, &self.script_path(environment, name));
        let answer = Answer::read(call.multipart(script.to_form()).send().await?).await?;
        let body = answer.json();
        anyhow::ensure!(
            answer.status == 200,
            "{name} is rejected ({}): {body}",
            answer.status
        );
        body.get("result").cloned().context("the response has no result")
    }

    /// Deletes a script.
    ///
    /// # Errors
    /// When it is rejected, with the response.
    pub async fn delete(&self, environment: Environment, name: &str) -> Result<()> {
        let call = self.api(Method::DELETE, &self.script_path(environment, name));
        let answer = Answer::read(call.send().await?).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        Ok(())
    }
}

/// A platform that several tests of one program use. The first test that uses it starts it.
#[derive(Debug)]
pub struct Shared {
    options: fn() -> Options,
    // A failed start is kept, so that the other tests fail at once.
    platform: OnceLock<std::result::Result<Platform, String>>,
}

impl Shared {
    /// A platform that is started with these options.
    #[must_use]
    pub const fn new(options: fn() -> Options) -> Self {
        Self {
            options,
            platform: OnceLock::new(),
        }
    }

    /// The platform.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn get(&self) -> &Platform {
        let start =
            || Platform::try_start((self.options)().temporary()).map_err(|error| format!("{error:#}"));
        self.platform
            .get_or_init(start)
            .as_ref()
            .expect("the platform starts")
    }
}

fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // Tests share a client, and each has a runtime. A pooled connection belongs to the runtime that opened it.
        .pool_max_idle_per_host(0)
        .build()
        .expect("an HTTP client")
}
