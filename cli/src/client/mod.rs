//! The HTTP client of the deploy API.

mod paths;

use std::io::{BufReader, Read};
use std::thread;
use std::time::{Duration, Instant};

use deploy_api::v1::types::{Page, ProblemDocument};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};
use url::Url;

use crate::credentials::Credentials;
use crate::failure::Failure;

pub use paths::{with_parameters, worker_path};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the deploy API may take to begin its answer. A change waits up to a minute for another one, and as long for Cloudflare.
const ANSWER: Duration = Duration::from_secs(200);

/// How long an interrupted change may be open.
const SETTLES: Duration = Duration::from_secs(150);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_secs(3);

/// The longest answer that is read as a whole, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The most items of a page.
const PAGE: usize = 1000;

/// A client with the credentials of one caller.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    api: String,
    /// The address that is connected to, if not every system resolves the host of `api`: a name below `localhost`.
    loopback: Option<(String, String)>,
    token: SecretString,
}

/// An answer as its type, and as the JSON that the deploy API sent, for `--json`.
#[derive(Debug)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// The same as JSON, unchanged.
    pub json: Value,
}

/// Makes a change, and waits for an earlier change of the same Worker that was interrupted: the deploy API finds out within two minutes
/// how that ended.
fn settled<T>(change: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    let begin = Instant::now();
    loop {
        match change() {
            Err(failure) if failure.is("DEPLOYMENT_UNSETTLED") && begin.elapsed() < SETTLES => {
                thread::sleep(PAUSE);
            }
            other => return other,
        }
    }
}

/// For a host below `localhost`, which only some systems resolve: the address of this machine, and the host with its port.
pub fn loopback(api: &str) -> Option<(String, String)> {
    let url = Url::parse(api).ok()?;
    let host = url.host_str()?;
    let port = url.port_or_known_default()?;
    host.ends_with(".localhost").then(|| {
        (
            format!("{}://127.0.0.1:{port}", url.scheme()),
            format!("{host}:{port}"),
        )
    })
}

impl Client {
    /// A client for these credentials. Nothing is sent.
    #[must_use]
    pub fn new(credentials: &Credentials) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the token to another host.
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .user_agent(concat!("dotdo/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self {
            agent,
            loopback: loopback(&credentials.api),
            api: credentials.api.clone(),
            token: credentials.token.clone(),
        }
    }

    /// A GET.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Failure> {
        self.read(self.exchange(Method::GET, path, None, None)?)
    }

    /// A GET, as the text that the API sent.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn text(&self, path: &str) -> Result<String, Failure> {
        self.read_text(self.exchange(Method::GET, path, None, None)?)
    }

    /// A page of lines, and the path of the next page; `None` on the last one.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn lines(&self, path: &str) -> Result<(String, Option<String>), Failure> {
        let response = self.exchange(Method::GET, path, None, None)?;
        let link = response.headers().get("link").and_then(|link| link.to_str().ok());
        let next = link.and_then(paths::next_page);
        Ok((self.read_text(response)?, next))
    }

    /// A call with a JSON body.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn send<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer<T>, Failure> {
        let body = serde_json::to_string(body)
            .map_err(|error| Failure::usage(format!("the request cannot be written: {error}"), ""))?;
        settled(|| self.read(self.exchange(method.clone(), path, Some(body.clone()), None)?))
    }

    /// A call without a body.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn call<T: DeserializeOwned>(&self, method: &Method, path: &str) -> Result<Answer<T>, Failure> {
        settled(|| self.read(self.exchange(method.clone(), path, None, None)?))
    }

    /// Replaces a document of a version.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn replace<T: DeserializeOwned>(
        &self,
        path: &str,
        document: String,
        version: u64,
    ) -> Result<Answer<T>, Failure> {
        self.read(self.exchange(Method::PUT, path, Some(document), Some(version))?)
    }

    /// Every item of a list, page by page, or the first `limit` of them.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn items<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
        limit: Option<usize>,
    ) -> Result<Answer<Vec<T>>, Failure> {
        let mut values = Vec::new();
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            let left = limit.map_or(PAGE, |limit| limit.saturating_sub(values.len()).min(PAGE));
            let mut parameters = parameters.to_vec();
            parameters.push(("limit", Some(left.to_string())));
            parameters.push(("cursor", cursor));
            let mut page: Answer<Page<T>> = self.get(&with_parameters(path, &parameters))?;
            values.extend(page.value.items);
            if let Some(Value::Array(of_page)) = page.json.get_mut("items").map(Value::take) {
                items.extend(of_page);
            }
            cursor = page.value.cursor;
            if cursor.is_none() || limit.is_some_and(|limit| values.len() >= limit) {
                let json = json!({ "items": items });
                return Ok(Answer { value: values, json });
            }
        }
    }

    /// Opens an answer to be read while it arrives, such as a long file or server-sent events. Its lines can be read one by one.
    ///
    /// # Errors
    /// The error of the API, or that it cannot be reached.
    pub fn open(&self, path: &str) -> Result<BufReader<impl Read + use<>>, Failure> {
        let response = self.exchange(Method::GET, path, None, None)?;
        Ok(BufReader::new(
            response.into_body().into_with_config().limit(u64::MAX).reader(),
        ))
    }

    fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        version: Option<u64>,
    ) -> Result<Response<Body>, Failure> {
        let address = self.loopback.as_ref().map_or(&self.api, |(address, _)| address);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{address}{path}"))
            .header("authorization", format!("Bearer {}", self.token.expose_secret()));
        if let Some((_, host)) = &self.loopback {
            request = request.header("host", host);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        if let Some(version) = version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        let invalid = |error: &dyn std::fmt::Display| {
            Failure::usage(
                format!(
                    "the address of the deploy API, {}, cannot be requested: {error}",
                    self.api
                ),
                "Type `dotdo login` with an address such as https://deploy-api.example.workers.dev.",
            )
        };
        let response = match body {
            Some(body) => self
                .agent
                .run(request.body(body).map_err(|error| invalid(&error))?),
            None => self.agent.run(request.body(()).map_err(|error| invalid(&error))?),
        };
        let response = response.map_err(|error| self.not_reached(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(response))
    }

    fn read<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<Answer<T>, Failure> {
        let text = self.read_text(response)?;
        let json: Value = serde_json::from_str(&text).map_err(|error| self.unexpected(&error.to_string()))?;
        let value =
            serde_json::from_value(json.clone()).map_err(|error| self.unexpected(&error.to_string()))?;
        Ok(Answer { value, json })
    }

    fn read_text(&self, response: Response<Body>) -> Result<String, Failure> {
        let body = response
            .into_body()
            .into_with_config()
            .limit(LONGEST)
            .read_to_string();
        body.map_err(|error| self.not_reached(&error))
    }

    fn refused(&self, response: Response<Body>) -> Failure {
        let status = response.status();
        let text = response
            .into_body()
            .into_with_config()
            .limit(LONGEST)
            .read_to_string()
            .unwrap_or_default();
        match serde_json::from_str::<ProblemDocument<'static>>(&text) {
            Ok(document) => Failure::problem(document),
            Err(_) => self.unexpected(&format!("the status is {status}")),
        }
    }

    fn not_reached(&self, error: &ureq::Error) -> Failure {
        let is_local = self.api.starts_with("http://localhost") || self.api.starts_with("http://127.");
        Failure::unreachable(
            format!("the deploy API at {} does not answer: {error}", self.api),
            if is_local {
                "Start the local platform with `npm run dev`, or type `dotdo login` with another address."
            } else {
                "Check the network and the address: `dotdo doctor`. Changes that were acknowledged are not lost."
            },
        )
    }

    fn unexpected(&self, what: &str) -> Failure {
        Failure::unreachable(
            format!(
                "{} did not answer as a deploy API of this version does: {what}",
                self.api
            ),
            "Type `dotdo doctor` to check the address and the versions.",
        )
    }
}
