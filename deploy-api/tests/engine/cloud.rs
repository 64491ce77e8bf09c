//! A test double for everything except the database: the Cloudflare API, the bundle store, the dispatch Worker and the
//! clock.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use bytes::Bytes;
use data_encoding::BASE64;
use deploy_api::bundles::{ByteRange, ObjectHead, ObjectPage, ObjectStore, StoreFailure, UploadedPart};
use deploy_api::dispatcher::{Dispatcher, DispatcherAnswer, DispatcherFailure, Wanted};
use deploy_api::download::{Download, Downloads};
use deploy_api::logs::{LogPage, LogQuery, Logs, LogsFailure};
use deploy_api::problem::Problem;
use deploy_api::runtime::Runtime;
use deploy_api::upstream::{
    Bearer, Piece, Purpose, Upstream, UpstreamAnswer, UpstreamBody, UpstreamFailure, UpstreamRequest,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;

use super::scripts::Scripts;
use super::support::memory_store::MemoryStore;
use super::support::time::at;

/// The fault of the next call that changes the remote state.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Returns this status and body, and does not execute the call.
    Answer(u16, &'static str),
    /// Executes the call, but returns this status and body.
    AnswerAfter(u16, &'static str),
    /// Fails without a response, and does not execute the call.
    Lost(UpstreamFailure),
    /// Executes the call, but fails without a response.
    LostAfter(UpstreamFailure),
    /// Does not execute the call, and cannot be reached from now on.
    Down,
}

/// A call that the upstream received.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub bearer: String,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

pub struct Cloud {
    pub scripts: RefCell<Scripts>,
    pub seen: RefCell<Vec<Seen>>,
    pub faults: RefCell<VecDeque<Fault>>,
    /// Whether the upstream cannot be reached at all.
    pub down: Cell<bool>,
    pub stored: MemoryStore,
    pub store_fails: Cell<bool>,
    /// Whether calls to the store never end.
    pub store_hangs: Cell<bool>,
    /// The responses of the dispatch Worker, in order. The last one is repeated.
    pub dispatcher_answers: RefCell<VecDeque<DispatcherAnswer>>,
    pub dispatcher_requests: RefCell<Vec<String>>,
    pub now: Cell<Timestamp>,
    random: Cell<u8>,
}

impl Cloud {
    pub fn new() -> Self {
        Self {
            scripts: RefCell::default(),
            seen: RefCell::default(),
            faults: RefCell::default(),
            down: Cell::new(false),
            stored: MemoryStore::default(),
            store_fails: Cell::new(false),
            store_hangs: Cell::new(false),
            dispatcher_answers: RefCell::new(VecDeque::from([DispatcherAnswer {
                status: 200,
                error: None,
                content: None,
            }])),
            dispatcher_requests: RefCell::default(),
            now: Cell::new(at(1)),
            random: Cell::new(0),
        }
    }

    pub fn fail_next(&self, fault: Fault) {
        self.faults.borrow_mut().push_back(fault);
    }

    /// Makes the following random numbers smaller than the previous ones.
    pub fn decrease_random(&self) {
        self.random.set(self.random.get().wrapping_sub(10));
    }

    /// Advances the clock.
    pub fn pass(&self, seconds: i64) {
        self.now.set(self.now.get() + SignedDuration::from_secs(seconds));
    }

    /// The request lines of the calls that are not `GET`, without the account.
    pub fn changes(&self) -> Vec<String> {
        let seen = self.seen.borrow();
        let changing = seen.iter().filter(|seen| !seen.line.starts_with("GET "));
        changing.map(|seen| seen.line.clone()).collect()
    }

    fn execute(&self, request: &UpstreamRequest) -> UpstreamAnswer {
        let (status, body) = self.scripts.borrow_mut().answer(request);
        UpstreamAnswer {
            status,
            cf_ray: Some("ray-up".to_owned()),
            retry_after: (status == 429).then_some(7),
            body: body.into_bytes(),
        }
    }
}

/// Yields once to other tasks, as a network call does.
pub async fn yield_once() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl Upstream for Cloud {
    async fn reserve(&self, _: Purpose) -> Result<(), Problem> {
        Ok(())
    }

    async fn send(&self, mut request: UpstreamRequest) -> Result<UpstreamAnswer, UpstreamFailure> {
        yield_once().await;
        request.body = self.bytes_of(&request.body).into();
        let line = format!("{} {}", request.method.as_str(), request.path_and_query());
        let bearer = match &request.bearer {
            Bearer::Account => "account".to_owned(),
            Bearer::AssetSession(jwt) => jwt.expose_secret().to_owned(),
        };
        self.seen.borrow_mut().push(Seen {
            line: line.replace("/accounts/b6641681fe423910342b9ffa1364c76d", "A"),
            bearer,
            content_type: request.content_type.clone(),
            body: self.bytes_of(&request.body),
        });
        self.now.set(self.now.get() + SignedDuration::from_millis(10));
        if self.down.get() {
            return Err(UpstreamFailure::Connection);
        }
        let changes = !line.starts_with("GET ");
        let fault = if changes {
            self.faults.borrow_mut().pop_front()
        } else {
            None
        };
        let instead = |status, body: &str| UpstreamAnswer {
            status,
            cf_ray: None,
            retry_after: (status == 429).then_some(7),
            body: body.as_bytes().to_vec(),
        };
        let answer = match fault {
            None => Ok(self.execute(&request)),
            Some(Fault::Answer(status, body)) => Ok(instead(status, body)),
            Some(Fault::AnswerAfter(status, body)) => {
                self.execute(&request);
                Ok(instead(status, body))
            }
            Some(Fault::Lost(failure)) => Err(failure),
            Some(Fault::Down) => {
                self.down.set(true);
                Err(UpstreamFailure::Connection)
            }
            Some(Fault::LostAfter(failure)) => {
                self.execute(&request);
                Err(failure)
            }
        };
        // The call was executed, even if the caller no longer waits for the response.
        yield_once().await;
        answer
    }
}

impl Downloads for Cloud {
    type Body = std::vec::IntoIter<Bytes>;

    async fn download(&self, request: UpstreamRequest) -> Result<Download<Self::Body>, UpstreamFailure> {
        let path = request.path_and_query();
        let name = path.split('/').rev().nth(2).unwrap_or_default();
        let content = {
            let scripts = self.scripts.borrow();
            let worker = scripts.account_workers.get(name);
            worker.map(|worker| worker.content.clone())
        };
        let answer = self.send(request).await?;
        Ok(match content.filter(|_| answer.status == 200) {
            Some(content) => Download {
                status: 200,
                content_type: Some(content.content_type),
                entrypoint: content.entrypoint,
                body: content
                    .chunks
                    .into_iter()
                    .map(Bytes::from)
                    .collect::<Vec<_>>()
                    .into_iter(),
            },
            None => Download {
                status: answer.status,
                content_type: None,
                entrypoint: None,
                body: vec![Bytes::from(answer.body)].into_iter(),
            },
        })
    }
}

impl Cloud {
    /// A call to the store, which yields twice.
    async fn store<T>(
        &self,
        call: impl AsyncFnOnce(&MemoryStore) -> Result<T, StoreFailure>,
    ) -> Result<T, StoreFailure> {
        yield_once().await;
        while self.store_hangs.get() {
            yield_once().await;
        }
        if self.store_fails.get() {
            return Err(StoreFailure("the bucket is unavailable".to_owned()));
        }
        self.stored.set_time(self.now.get());
        let answer = call(&self.stored).await;
        yield_once().await;
        answer
    }

    /// The bytes of a body, as the runtime would send them.
    fn bytes_of(&self, body: &UpstreamBody) -> Vec<u8> {
        let object = |key: &str| self.stored.object(key).unwrap();
        let mut bytes = Vec::new();
        for piece in body.pieces() {
            match piece {
                Piece::Bytes(own) => bytes.extend_from_slice(own),
                Piece::Stored { key, offset, length } => {
                    let offset = usize::try_from(*offset).unwrap();
                    let length = usize::try_from(*length).unwrap();
                    bytes.extend_from_slice(&object(key)[offset..offset + length]);
                }
                Piece::FromBase64 {
                    key, offset, text, ..
                } => {
                    let object = object(key);
                    let start = usize::try_from(*offset).unwrap();
                    let text = &object[start..start + usize::try_from(*text).unwrap()];
                    bytes.extend_from_slice(&BASE64.decode(text).unwrap());
                }
                Piece::Base64 { key, .. } => bytes.extend_from_slice(BASE64.encode(&object(key)).as_bytes()),
            }
        }
        assert_eq!(u64::try_from(bytes.len()).unwrap(), body.length());
        bytes
    }
}

impl ObjectStore for Cloud {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreFailure> {
        self.store(async |store| store.put(key, bytes).await).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, StoreFailure> {
        self.store(async |store| store.head(key).await).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.store(async |store| store.get(key, range).await).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreFailure> {
        self.store(async |store| store.delete(keys).await).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<ObjectPage, StoreFailure> {
        self.store(async |store| store.list(prefix, cursor).await).await
    }

    async fn create_multipart(&self, key: &str) -> Result<String, StoreFailure> {
        self.store(async |store| store.create_multipart(key).await).await
    }

    async fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        bytes: &[u8],
    ) -> Result<UploadedPart, StoreFailure> {
        self.store(async |store| store.upload_part(key, upload, number, bytes).await)
            .await
    }

    async fn complete_multipart(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<(), StoreFailure> {
        self.store(async |store| store.complete_multipart(key, upload, parts).await)
            .await
    }

    async fn abort_multipart(&self, key: &str, upload: &str) -> Result<(), StoreFailure> {
        self.store(async |store| store.abort_multipart(key, upload).await)
            .await
    }
}

impl Dispatcher for Cloud {
    async fn request(
        &self,
        host: &str,
        path: &str,
        _: Wanted<'_>,
    ) -> Result<DispatcherAnswer, DispatcherFailure> {
        yield_once().await;
        self.dispatcher_requests
            .borrow_mut()
            .push(format!("{host}{path}"));
        let mut answers = self.dispatcher_answers.borrow_mut();
        match answers.len() {
            0 => Err(DispatcherFailure::Timeout),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop_front().unwrap()),
        }
    }
}

impl Logs for Cloud {
    async fn log_page(&self, _: &LogQuery) -> Result<LogPage, LogsFailure> {
        yield_once().await;
        Err(LogsFailure::NoResponse("there is no logs Worker".to_owned()))
    }
}

impl Runtime for Cloud {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn entropy(&self) -> [u8; 16] {
        self.random.set(self.random.get().wrapping_add(1));
        [self.random.get(); 16]
    }

    async fn pause(&self, milliseconds: u32) {
        // Long pauses are time limits: other tasks run until they wait or end.
        let yields = match milliseconds {
            // The pauses between the requests of a health check.
            0..=1_000 | 2_000 | 4_000 | 8_000 => 1,
            1_001..60_000 => LONG_PAUSE_YIELDS,
            _ => 10 * LONG_PAUSE_YIELDS,
        };
        for _ in 0..yields {
            yield_once().await;
        }
        let passed = SignedDuration::from_millis(milliseconds.into());
        self.now.set(self.now.get() + passed);
    }
}

/// The number of yields of a long pause, which is more than the yields of a complete deploy.
const LONG_PAUSE_YIELDS: usize = 2_000;

/// An envelope with an error, as the upstream returns it.
pub const REFUSED: &str = r#"{"success":false,"result":null,"errors":[{"code":10021,"message":"No event handlers"}],"messages":[]}"#;

pub fn envelope(result: &serde_json::Value) -> String {
    json!({ "success": true, "result": result, "errors": [], "messages": [] }).to_string()
}
