//! A proxy on loopback between a client and its server: it records every request, and makes some fail.

mod fault;
mod resources;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::{FutureExt, future};
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, header};
use serde_json::Value;

pub use fault::{Fault, Hold};

use crate::loopback::{self, Body, whole};
use fault::{Planned, cut_off, envelope, page};
use resources::{Resources, with_bindings};

/// A request that a relay received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Its method.
    pub method: String,
    /// Its path and query, unchanged.
    pub path: String,
    /// Its header `Authorization`.
    pub authorization: String,
    /// The names of its other headers.
    pub headers: Vec<String>,
}

impl Relayed {
    fn of(method: &hyper::Method, path: &str, headers: &hyper::HeaderMap) -> Self {
        let authorization = headers.get(header::AUTHORIZATION);
        Self {
            method: method.to_string(),
            path: path.to_owned(),
            authorization: authorization
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            headers: headers
                .keys()
                .filter(|name| *name != header::AUTHORIZATION)
                .map(ToString::to_string)
                .collect(),
        }
    }
}

/// A relay. It serves until the program ends; clones are the same relay.
#[derive(Clone)]
pub struct Relay {
    address: String,
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    target: String,
    requests: Mutex<Vec<Relayed>>,
    faults: Mutex<Vec<Planned>>,
    resources: Mutex<Resources>,
}

impl Relay {
    /// A relay to a server, by its origin: `http://localhost:8787`. A host below `localhost` is on this machine, also if the system does
    /// not resolve it.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: &str) -> Result<Self> {
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0);
        let host = target.trim_start_matches("http://").split(':').next();
        if let Some(host) = host.filter(|host| host.ends_with(".localhost")) {
            http = http.resolve(host, (std::net::Ipv4Addr::LOCALHOST, 0).into());
        }
        let inner = Arc::new(Inner {
            http: http.build().context("cannot create an HTTP client")?,
            target: target.to_owned(),
            requests: Mutex::default(),
            faults: Mutex::default(),
            resources: Mutex::default(),
        });
        let served = Arc::clone(&inner);
        let address = loopback::serve(Arc::new(move |request| {
            let inner = Arc::clone(&served);
            async move { inner.answer(request).await }.boxed()
        }))?;
        Ok(Self {
            address: format!("http://{address}"),
            inner,
        })
    }

    /// Its own origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.address
    }

    /// The recorded requests whose paths contain a part, in the order in which they arrived.
    #[must_use]
    pub fn requests(&self, part: &str) -> Vec<Relayed> {
        let requests = lock(&self.inner.requests);
        requests
            .iter()
            .filter(|request| request.path.contains(part))
            .cloned()
            .collect()
    }

    /// Removes the recorded requests.
    pub fn remove_requests(&self) {
        lock(&self.inner.requests).clear();
    }

    /// Makes the next `times` requests with this method, whose paths contain a part, fail.
    pub fn plan(&self, method: &'static str, part: &str, times: usize, fault: Fault) {
        lock(&self.inner.faults).push(Planned {
            method,
            part: part.to_owned(),
            fault,
            left: times,
        });
    }

    /// Simulates a resource of the account: the relay responds to `GET` of its path below the account's (`r2/buckets/photos`) with
    /// this status and result. Other resources of the product do not exist. Bindings to resources are kept by the relay.
    pub fn set_resource(&self, path: &str, status: u16, result: Value) {
        lock(&self.inner.resources).set(path, status, result);
    }

    /// Waits until every fault that was planned for a part has happened.
    pub async fn wait_for_faults(&self, part: &str) {
        let is_left = || {
            lock(&self.inner.faults)
                .iter()
                .any(|planned| planned.part == part && planned.left > 0)
        };
        while is_left() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Removes the faults that were planned for a part.
    pub fn remove_faults(&self, part: &str) {
        lock(&self.inner.faults).retain(|planned| planned.part != part);
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A complete request.
struct Whole {
    method: reqwest::Method,
    path: String,
    headers: reqwest::header::HeaderMap,
    body: Bytes,
}

impl Inner {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Option<Response<Body>> {
        let (head, body) = request.into_parts();
        let path = head
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        lock(&self.requests).push(Relayed::of(&head.method, &path, &head.headers));
        let fault = self.fault(head.method.as_str(), &path);
        let whole = Whole {
            method: head.method,
            path,
            headers: head.headers,
            body: body.collect().await.ok()?.to_bytes(),
        };
        match fault {
            None => self.pass(whole).await,
            Some(fault) => self.fail(fault, whole).await,
        }
    }

    /// Forwards a request that is not about a simulated resource.
    async fn pass(&self, mut request: Whole) -> Option<Response<Body>> {
        let method = request.method.as_str();
        if let Some(answer) = lock(&self.resources).answer(method, &request.path) {
            return Some(answer);
        }
        if method == "PUT" {
            let without = lock(&self.resources).take(&request.path, &request.body);
            request.body = without.unwrap_or(request.body);
        }
        let bindings = match method {
            "GET" => lock(&self.resources).bindings(&request.path),
            _ => None,
        };
        let answer = self.forward(request).await?;
        match bindings {
            None => Some(answer),
            Some(bindings) => with_bindings(answer, bindings).await,
        }
    }

    fn fault(&self, method: &str, path: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let planned = faults
            .iter_mut()
            .find(|planned| planned.left > 0 && planned.method == method && path.contains(&planned.part))?;
        planned.left -= 1;
        let fault = planned.fault.clone();
        if matches!(fault, Fault::LoseAnswerAndReads) {
            let part = planned.part.clone();
            faults.push(Planned {
                method: "GET",
                part,
                fault: Fault::Status(503),
                left: usize::MAX,
            });
        }
        Some(fault)
    }

    async fn fail(self: Arc<Self>, fault: Fault, request: Whole) -> Option<Response<Body>> {
        match fault {
            Fault::Status(status) => Some(envelope(status)),
            Fault::RateLimit { retry_after } => {
                let mut answer = envelope(429);
                answer
                    .headers_mut()
                    .insert(header::RETRY_AFTER, retry_after.into());
                Some(answer)
            }
            Fault::Html(status) => Some(page(status)),
            Fault::Hang => future::pending().await,
            Fault::Close => None,
            Fault::CloseMidway => self.forward(request).await.map(cut_off),
            Fault::LoseAnswer | Fault::LoseAnswerAndReads => {
                self.forward(request).await?;
                None
            }
            Fault::Late(after) => {
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    self.forward(request).await
                });
                None
            }
            Fault::HoldBefore(hold) => hold.hold().await,
            Fault::HoldAfter(hold) => {
                self.forward(request).await;
                hold.hold().await
            }
        }
    }

    async fn forward(&self, request: Whole) -> Option<Response<Body>> {
        let mut headers = request.headers;
        // They describe this connection; the client sets them for the next.
        for name in [
            header::HOST,
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::CONTENT_LENGTH,
        ] {
            headers.remove(name);
        }
        let answer = self
            .http
            .request(request.method, format!("{}{}", self.target, request.path))
            .headers(headers)
            .body(request.body)
            .send()
            .await
            .ok()?;
        let mut passed = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if name != header::TRANSFER_ENCODING
                && name != header::CONTENT_LENGTH
                && name != header::CONNECTION
            {
                passed = passed.header(name, value);
            }
        }
        let body = answer.bytes().await.ok()?;
        passed.body(whole(body)).ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
