//! Everything outside of the database, in the hands of a test: the Cloudflare API, the bundle store, the dispatch
//! Worker, the clock.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use deploy_api::bundles::{BundleStore, Digest, StoreFailure};
use deploy_api::engine::Runtime;
use deploy_api::probe::{Dispatcher, DispatcherAnswer, DispatcherFailure};
use deploy_api::upstream::{Bearer, Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;

use super::scripts::Scripts;
use super::support::time::at;

/// What goes wrong with the next call that changes something.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered with this instead, and not carried out.
    Answer(u16, &'static str),
    /// It is answered with this instead, but carried out.
    AnswerAfter(u16, &'static str),
    /// No answer comes, and it is not carried out.
    Lost(UpstreamFailure),
    /// No answer comes, but it is carried out.
    LostAfter(UpstreamFailure),
}

/// A call as the upstream saw it.
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
    pub stored: RefCell<HashMap<Digest, Vec<u8>>>,
    pub store_fails: Cell<bool>,
    /// How often something was stored.
    pub puts: Cell<usize>,
    /// What the dispatch Worker answers, in order; the last one for ever.
    pub probes: RefCell<VecDeque<DispatcherAnswer>>,
    pub probed: RefCell<Vec<String>>,
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
            stored: RefCell::default(),
            store_fails: Cell::new(false),
            puts: Cell::new(0),
            probes: RefCell::new(VecDeque::from([DispatcherAnswer {
                status: 200,
                error: None,
            }])),
            probed: RefCell::default(),
            now: Cell::new(at(1)),
            random: Cell::new(0),
        }
    }

    pub fn fail_next(&self, fault: Fault) {
        self.faults.borrow_mut().push_back(fault);
    }

    /// Lets the random numbers that come be smaller than those before.
    pub fn less_random(&self) {
        self.random.set(self.random.get().wrapping_sub(10));
    }

    pub fn pass(&self, seconds: i64) {
        self.now.set(self.now.get() + SignedDuration::from_secs(seconds));
    }

    /// The lines of the calls that changed something, without the account.
    pub fn changes(&self) -> Vec<String> {
        let seen = self.seen.borrow();
        let changing = seen.iter().filter(|seen| !seen.line.starts_with("GET "));
        changing.map(|seen| seen.line.clone()).collect()
    }

    fn carry_out(&self, request: &UpstreamRequest) -> UpstreamAnswer {
        let (status, body) = self.scripts.borrow_mut().answer(request);
        UpstreamAnswer {
            status,
            cf_ray: Some("ray-up".to_owned()),
            retry_after: (status == 429).then_some(7),
            body: body.into_bytes(),
        }
    }
}

/// Lets others have their turn, as a call over a network does.
async fn elsewhere() {
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
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamAnswer, UpstreamFailure> {
        elsewhere().await;
        let line = format!("{} {}", request.method.as_str(), request.path_and_query());
        let bearer = match &request.bearer {
            Bearer::Account => "account".to_owned(),
            Bearer::AssetSession(jwt) => jwt.expose_secret().to_owned(),
        };
        self.seen.borrow_mut().push(Seen {
            line: line.replace("/accounts/b6641681fe423910342b9ffa1364c76d", "A"),
            bearer,
            content_type: request.content_type.clone(),
            body: request.body.in_memory().unwrap(),
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
            None => Ok(self.carry_out(&request)),
            Some(Fault::Answer(status, body)) => Ok(instead(status, body)),
            Some(Fault::AnswerAfter(status, body)) => {
                self.carry_out(&request);
                Ok(instead(status, body))
            }
            Some(Fault::Lost(failure)) => Err(failure),
            Some(Fault::LostAfter(failure)) => {
                self.carry_out(&request);
                Err(failure)
            }
        };
        // What was carried out is so, whether or not anybody is there any more to take the answer.
        elsewhere().await;
        answer
    }
}

impl BundleStore for Cloud {
    async fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreFailure> {
        elsewhere().await;
        if self.store_fails.get() {
            return Err(StoreFailure("the bucket is away".to_owned()));
        }
        assert_eq!(*digest, Digest::of(bytes));
        self.puts.set(self.puts.get() + 1);
        self.stored.borrow_mut().insert(digest.clone(), bytes.to_vec());
        elsewhere().await;
        Ok(())
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreFailure> {
        elsewhere().await;
        if self.store_fails.get() {
            return Err(StoreFailure("the bucket is away".to_owned()));
        }
        Ok(self.stored.borrow().get(digest).cloned())
    }
}

impl Dispatcher for Cloud {
    async fn request(&self, host: &str, path: &str) -> Result<DispatcherAnswer, DispatcherFailure> {
        elsewhere().await;
        self.probed.borrow_mut().push(format!("{host}{path}"));
        let mut answers = self.probes.borrow_mut();
        match answers.len() {
            0 => Err(DispatcherFailure::Timeout),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop_front().unwrap()),
        }
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
        let passed = SignedDuration::from_millis(milliseconds.into());
        self.now.set(self.now.get() + passed);
    }
}

/// An envelope with an error, as the upstream answers.
pub const REFUSED: &str = r#"{"success":false,"result":null,"errors":[{"code":10021,"message":"No event handlers"}],"messages":[]}"#;

pub fn envelope(result: &serde_json::Value) -> String {
    json!({ "success": true, "result": result, "errors": [], "messages": [] }).to_string()
}
