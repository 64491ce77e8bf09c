//! The API with nothing behind it: no upstream, no store, no dispatch Worker.

use std::cell::Cell;
use std::future::{Future, ready};

use deploy_api::access::Access;
use deploy_api::bundles::{BundleStore, Digest, StoreFailure};
use deploy_api::deployments::Lines;
use deploy_api::engine::{Engine, Runtime, SETTLE_AFTER};
use deploy_api::gateway::{Body, BodyFailure, Request};
use deploy_api::probe::{Dispatcher, DispatcherAnswer, DispatcherFailure};
use deploy_api::upstream::{Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest};
use deploy_api::v1;
use futures_executor::block_on;
use jiff::Timestamp;
use serde_json::Value;

use crate::support::api::{Api, BOOTSTRAP};
use crate::support::time::at;

#[derive(Default)]
struct Nothing {
    asked: Cell<u8>,
}

impl Upstream for Nothing {
    fn send(&self, _: UpstreamRequest) -> impl Future<Output = Result<UpstreamAnswer, UpstreamFailure>> {
        ready(Err(UpstreamFailure::Connection))
    }
}

impl BundleStore for Nothing {
    fn put(&self, _: &Digest, _: &[u8]) -> impl Future<Output = Result<(), StoreFailure>> {
        ready(Err(StoreFailure("there is none".to_owned())))
    }

    fn get(&self, _: &Digest) -> impl Future<Output = Result<Option<Vec<u8>>, StoreFailure>> {
        ready(Ok(None))
    }
}

impl Dispatcher for Nothing {
    fn request(&self, _: &str, _: &str) -> impl Future<Output = Result<DispatcherAnswer, DispatcherFailure>> {
        ready(Err(DispatcherFailure::Connection))
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
}

/// A body that is sent whole, and tells whether it was read.
struct Sent<'a> {
    bytes: &'a [u8],
    was_read: &'a Cell<bool>,
    ends: bool,
}

impl Body for Sent<'_> {
    fn read(self, limit: usize) -> impl Future<Output = Result<Vec<u8>, BodyFailure>> {
        self.was_read.set(true);
        ready(if self.bytes.len() > limit {
            Err(BodyFailure::TooLarge)
        } else if self.ends {
            Ok(self.bytes.to_vec())
        } else {
            Err(BodyFailure::Interrupted)
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

/// What came back.
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub text: String,
    pub body_was_read: bool,
}

impl<'a> Call<'a> {
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            headers: Vec::new(),
            body: b"",
            ends: true,
        }
    }

    /// The same by the bootstrap administrator.
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

    /// The client stops in the middle.
    pub fn cut_off(mut self) -> Self {
        self.ends = false;
        self
    }

    pub fn send(self, api: &Api) -> Answered {
        let outside = Nothing::default();
        let lines = Lines::default();
        let was_read = Cell::new(false);
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let reply = api.request(|access| {
            let engine = Engine {
                access: Access {
                    sql: access.sql,
                    policies: access.policies,
                    bootstrap: access.bootstrap,
                    client: access.client,
                    now: access.now,
                },
                outside: &outside,
                lines: &lines,
                settle_after: SETTLE_AFTER,
            };
            let served = v1::Api {
                engine: &engine,
                keyring: &api.keyring,
                key_source: &api.connection,
                checkpoint_key: None,
            };
            block_on(served.serve(Request {
                method: self.method,
                path,
                query,
                headers: &self.headers,
                body: Sent {
                    bytes: self.body,
                    was_read: &was_read,
                    ends: self.ends,
                },
            }))
        });
        Answered {
            status: reply.status,
            headers: reply.headers,
            text: reply.body,
            body_was_read: was_read.get(),
        }
    }
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

    /// The code of a problem document, whose form is checked on the way.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert_eq!(document["request_id"], "ray-1");
        document["code"].as_str().unwrap().to_owned()
    }
}
