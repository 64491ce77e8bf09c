//! The API without services: no upstream, no store, no dispatch Worker.

use secrecy::SecretBox;
use std::cell::Cell;
use std::future::{Future, ready};

use bytes::Bytes;
use deploy_api::assets::SessionKey;
use deploy_api::attempt::AttemptId;
use deploy_api::bundles::{ByteRange, ObjectHead, ObjectPage, ObjectStore, StoreFailure, UploadedPart};
use deploy_api::deployments::WorkerUrls;
use deploy_api::deploys::Gateway;
use deploy_api::dispatcher::{Dispatcher, DispatcherAnswer, DispatcherFailure, Wanted};
use deploy_api::download::{Download, Downloads};
use deploy_api::http::Request;
use deploy_api::ledger::{Ledger, LedgerClient, LedgerFailure, Settings};
use deploy_api::logs::{LogPage, LogQuery, Logs, LogsFailure};
use deploy_api::problem::Problem;
use deploy_api::runtime::Runtime;
use deploy_api::store::audit_archive::ArchiveRules;
use deploy_api::upload::{Admission, FingerprintKey, Source, SourceFailure};
use deploy_api::upstream::{Purpose, Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest};
use deploy_api::v1;
use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::api::{Api, BOOTSTRAP, cursor_key, new_cursor_key};
use crate::support::openapi::assert_described;
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

#[derive(Default)]
struct Nothing {
    asked: Cell<u8>,
}

fn none<T>() -> impl Future<Output = Result<T, StoreFailure>> {
    ready(Err(StoreFailure("there is none".to_owned())))
}

impl Upstream for Nothing {
    fn reserve(&self, _: Purpose) -> impl Future<Output = Result<(), Problem>> {
        ready(Ok(()))
    }

    fn send(&self, _: UpstreamRequest) -> impl Future<Output = Result<UpstreamAnswer, UpstreamFailure>> {
        ready(Err(UpstreamFailure::Connection))
    }
}

impl Downloads for Nothing {
    type Body = std::iter::Empty<Bytes>;

    fn download(
        &self,
        _: UpstreamRequest,
    ) -> impl Future<Output = Result<Download<Self::Body>, UpstreamFailure>> {
        ready(Err(UpstreamFailure::Connection))
    }
}

impl ObjectStore for Nothing {
    fn put(&self, _: &str, _: &[u8]) -> impl Future<Output = Result<(), StoreFailure>> {
        none()
    }

    fn head(&self, _: &str) -> impl Future<Output = Result<Option<ObjectHead>, StoreFailure>> {
        none()
    }

    fn get(
        &self,
        _: &str,
        _: Option<ByteRange>,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreFailure>> {
        none()
    }

    fn delete(&self, _: &[String]) -> impl Future<Output = Result<(), StoreFailure>> {
        none()
    }

    fn list(&self, _: &str, _: Option<&str>) -> impl Future<Output = Result<ObjectPage, StoreFailure>> {
        none()
    }

    fn create_multipart(&self, _: &str) -> impl Future<Output = Result<String, StoreFailure>> {
        none()
    }

    fn upload_part(
        &self,
        _: &str,
        _: &str,
        _: u16,
        _: &[u8],
    ) -> impl Future<Output = Result<UploadedPart, StoreFailure>> {
        none()
    }

    fn complete_multipart(
        &self,
        _: &str,
        _: &str,
        _: &[UploadedPart],
    ) -> impl Future<Output = Result<(), StoreFailure>> {
        none()
    }

    fn abort_multipart(&self, _: &str, _: &str) -> impl Future<Output = Result<(), StoreFailure>> {
        none()
    }
}

impl Dispatcher for Nothing {
    fn request(
        &self,
        _: &str,
        _: &str,
        _: Wanted<'_>,
    ) -> impl Future<Output = Result<DispatcherAnswer, DispatcherFailure>> {
        ready(Err(DispatcherFailure::Connection))
    }
}

impl Logs for Nothing {
    fn log_page(&self, _: &LogQuery) -> impl Future<Output = Result<LogPage, LogsFailure>> {
        ready(Err(LogsFailure::NoResponse("there is no logs Worker".to_owned())))
    }
}

impl Runtime for Nothing {
    fn now(&self) -> Timestamp {
        at(1)
    }

    fn entropy(&self) -> [u8; 16] {
        self.asked.set(self.asked.get() + 1);
        [self.asked.get(); 16]
    }

    fn pause(&self, _: u32) -> impl Future<Output = ()> {
        ready(())
    }

    fn wasm_memory_bytes(&self) -> Option<u64> {
        Some(Call::WASM_MEMORY_BYTES)
    }
}

/// The ledger, and whether it received a message.
struct Ledgered<'a> {
    ledger: Ledger<&'a Sqlite, &'a Nothing>,
    messages: Cell<usize>,
}

impl LedgerClient for Ledgered<'_> {
    async fn exchange(&self, name: &'static str, message: String) -> Result<String, LedgerFailure> {
        self.messages.set(self.messages.get() + 1);
        Ok(self.ledger.answer(name, &message).await)
    }
}

/// A body in one chunk that records whether it was read.
struct Sent<'a> {
    bytes: Option<&'a [u8]>,
    was_read: &'a Cell<bool>,
    ends: bool,
}

impl Source for Sent<'_> {
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, SourceFailure>> {
        self.was_read.set(true);
        ready(match self.bytes.take() {
            Some(bytes) => Ok(Some(Bytes::copy_from_slice(bytes))),
            None if self.ends => Ok(None),
            None => Err(SourceFailure::Interrupted),
        })
    }
}

/// One request, to be sent to an API.
pub struct Call<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
    body: &'a [u8],
    ends: bool,
}

/// A response.
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub text: String,
    /// The log whose events are the body.
    pub log_stream: Option<Box<LogQuery>>,
    pub body_was_read: bool,
    /// How many messages the ledger received.
    pub messages: usize,
}

impl<'a> Call<'a> {
    /// The size of the Wasm memory that the test's runtime reports.
    pub const WASM_MEMORY_BYTES: u64 = 2 * 1024 * 1024;

    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            headers: Vec::new(),
            body: b"",
            ends: true,
        }
    }

    /// The call with the credential of the bootstrap administrator.
    pub fn by_administrator(self) -> Self {
        self.header("Authorization", &format!("Bearer {BOOTSTRAP}"))
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }

    /// The client disconnects in the middle of the body.
    pub fn cut_off(mut self) -> Self {
        self.ends = false;
        self
    }

    pub fn send(self, api: &Api) -> Answered {
        let services = Nothing::default();
        let was_read = Cell::new(false);
        let settings = Settings {
            upstream_timeout: SignedDuration::from_secs(60),
            upstream_calls: 1200,
            preview_lifetime: SignedDuration::from_hours(14 * 24),
            worker_urls: WorkerUrls::default(),
            checkpoint_key: None,
            cursor_key: new_cursor_key(),
            archive: ArchiveRules::DEFAULT,
        };
        let ledger = Ledgered {
            ledger: Ledger::new(&api.sql, &services, settings),
            messages: Cell::new(0),
        };
        let client = api.client.borrow().clone();
        let gateway = Gateway {
            own_deployment: None,
            ledger: &ledger,
            services: &services,
            client: &client,
            attempt: AttemptId::new(at(1), api.entropy()[..16].try_into().unwrap()),
            bootstrap: Some(&api.bootstrap),
            fingerprint_key: &FingerprintKey([7; 32]),
            session_key: &SessionKey::new(SecretBox::new(Box::new([8; 32]))),
            cursor_key: cursor_key(),
            admission: &Admission::default(),
            worker_urls: &WorkerUrls::default(),
            stores_logs: true,
        };
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let served = v1::Api {
            gateway: &gateway,
            keyring: &api.keyring,
            key_source: &api.connection,
        };
        let reply = block_on(served.serve(Request {
            method: self.method,
            path,
            query,
            headers: &self.headers,
            body: Sent {
                bytes: Some(self.body),
                was_read: &was_read,
                ends: self.ends,
            },
        }));
        let media_type = reply
            .headers
            .iter()
            .find(|(name, _)| *name == "content-type")
            .map_or("", |(_, value)| value);
        assert_described(self.method, path, reply.status, media_type, &reply.body);
        Answered {
            status: reply.status,
            headers: reply.headers,
            text: reply.body,
            log_stream: reply.log_stream,
            body_was_read: was_read.get(),
            messages: ledger.messages.get(),
        }
    }
}

/// The answer to the creation of a token of alice with one action on `agents` in staging.
pub fn create_token(api: &Api, action: &str) -> Answered {
    let wanted = json!({
        "subject": "alice",
        "grants": [{ "namespaces": ["dotdo-staging"], "workers": ["agents"], "actions": [action] }],
        "expires": "2027-02-01T00:00:00Z"
    });
    Call::new("POST", "/v1/tokens")
        .by_administrator()
        .body(wanted.to_string().as_bytes())
        .send(api)
}

impl Answered {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The code of a problem document. Also asserts the format of the document.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert_eq!(document["request_id"], "ray-1");
        document["code"].as_str().unwrap().to_owned()
    }
}
