//! A server on loopback that stands between a client and its server: it notes every request, and makes some go wrong.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::{FutureExt, future};
use http_body_util::{BodyExt, StreamBody};
use hyper::{Request, Response, StatusCode, body::Frame, body::Incoming, header};
use tokio::sync::Notify;

use crate::loopback::{self, Body, BrokenOff, whole};

/// A relay. It serves until the program ends; clones are the same relay.
#[derive(Clone)]
pub struct Relay {
    address: String,
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    target: Mutex<String>,
    requests: Mutex<Vec<Relayed>>,
    faults: Mutex<Vec<Planned>>,
}

/// A request that came to a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Its method.
    pub method: String,
    /// Its path and query, as they were sent.
    pub path: String,
    /// Its header `Authorization`.
    pub authorization: String,
    /// The names of its other headers.
    pub headers: Vec<String>,
}

/// What a relay does with a request instead of passing it on and back.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with a status and Cloudflare's envelope, and does not pass it on.
    Status(u16),
    /// Answers 429 with `Retry-After`, and does not pass it on.
    RateLimit {
        /// In seconds.
        retry_after: u32,
    },
    /// Answers with a page of HTML and this status, as a proxy that fails does.
    Html(u16),
    /// Never answers, and does not pass it on.
    Hang,
    /// Closes the connection without an answer.
    Close,
    /// Passes it on, and closes in the middle of the answer.
    CloseMidway,
    /// Passes it on, and closes without an answer: what was asked for is done, and nobody is told.
    LoseAnswer,
    /// Closes without an answer, and passes it on after a while: what was asked for is done late.
    Late(Duration),
    /// Holds the request until it is let go, and passes it on then.
    HoldBefore(Hold),
    /// Passes it on at once, and holds the answer until it is let go.
    HoldAfter(Hold),
}

/// A request or an answer that a relay holds.
#[derive(Clone, Debug, Default)]
pub struct Hold {
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

impl Hold {
    /// Waits until the relay holds something.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it go.
    pub fn release(&self) {
        self.released.notify_one();
    }

    async fn hold(&self) {
        self.reached.notify_one();
        self.released.notified().await;
    }
}

struct Planned {
    method: &'static str,
    part: String,
    fault: Fault,
    left: usize,
}

impl Relay {
    /// A relay to a server, by its origin: `http://localhost:8787`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: &str) -> Result<Self> {
        let inner = Arc::new(Inner {
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .context("a client without TLS")?,
            target: Mutex::new(target.to_owned()),
            requests: Mutex::default(),
            faults: Mutex::default(),
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

    /// Passes on to another server from now on.
    pub fn redirect(&self, target: &str) {
        target.clone_into(&mut lock(&self.inner.target));
    }

    /// Every request so far whose path has a part, in the order in which they came.
    #[must_use]
    pub fn requests(&self, part: &str) -> Vec<Relayed> {
        let requests = lock(&self.inner.requests);
        requests
            .iter()
            .filter(|request| request.path.contains(part))
            .cloned()
            .collect()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.inner.requests).clear();
    }

    /// Makes the next `times` requests with this method, whose path has a part, go wrong.
    pub fn plan(&self, method: &'static str, part: &str, times: usize, fault: Fault) {
        lock(&self.inner.faults).push(Planned {
            method,
            part: part.to_owned(),
            fault,
            left: times,
        });
    }

    /// Waits until everything that was planned for a part has gone wrong.
    pub async fn planned(&self, part: &str) {
        let is_left = || {
            lock(&self.inner.faults)
                .iter()
                .any(|planned| planned.part == part && planned.left > 0)
        };
        while is_left() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets everything through again whose path has a part.
    pub fn heal(&self, part: &str) {
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

/// A request that is known whole.
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
        lock(&self.requests).push(note(&head.method, &path, &head.headers));
        let fault = self.fault(head.method.as_str(), &path);
        let whole = Whole {
            method: head.method,
            path,
            headers: head.headers,
            body: body.collect().await.ok()?.to_bytes(),
        };
        match fault {
            None => self.pass_on(whole).await,
            Some(fault) => self.go_wrong(fault, whole).await,
        }
    }

    fn fault(&self, method: &str, path: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let planned = faults
            .iter_mut()
            .find(|planned| planned.left > 0 && planned.method == method && path.contains(&planned.part))?;
        planned.left -= 1;
        Some(planned.fault.clone())
    }

    async fn go_wrong(self: Arc<Self>, fault: Fault, request: Whole) -> Option<Response<Body>> {
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
            Fault::CloseMidway => self.pass_on(request).await.map(cut_off),
            Fault::LoseAnswer => {
                self.pass_on(request).await?;
                None
            }
            Fault::Late(after) => {
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    self.pass_on(request).await
                });
                None
            }
            Fault::HoldBefore(hold) => {
                hold.hold().await;
                self.pass_on(request).await
            }
            Fault::HoldAfter(hold) => {
                let answer = self.pass_on(request).await;
                hold.hold().await;
                answer
            }
        }
    }

    async fn pass_on(&self, request: Whole) -> Option<Response<Body>> {
        let target = lock(&self.target).clone();
        let mut headers = request.headers;
        // They are about this connection, and the client makes its own for the next.
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
            .request(request.method, format!("{target}{}", request.path))
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

fn note(method: &hyper::Method, path: &str, headers: &hyper::HeaderMap) -> Relayed {
    let authorization = headers.get(header::AUTHORIZATION);
    Relayed {
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

fn envelope(status: u16) -> Response<Body> {
    let body = serde_json::json!({
        "success": false, "result": null, "messages": [],
        "errors": [{ "code": 10013, "message": "An unknown error has occurred." }],
    });
    with_status(status, "application/json", body.to_string())
}

fn page(status: u16) -> Response<Body> {
    with_status(
        status,
        "text/html",
        "<html><h1>Bad gateway</h1></html>".to_owned(),
    )
}

fn with_status(status: u16, media_type: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    answer
}

/// The same answer, which ends after its first bytes.
fn cut_off(answer: Response<Body>) -> Response<Body> {
    let (head, _) = answer.into_parts();
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"{\"success\": tr"))),
        Err(BrokenOff),
    ];
    Response::from_parts(
        head,
        BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames))),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
