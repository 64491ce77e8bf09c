use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::alarm::Alarm;
use super::failure::answer_in_kind;
use super::incoming::{Incoming, IncomingBody};
use super::log::Line;
use super::outgoing::response;
use super::runtime::now;
use super::settings::{Misconfigured, Settings};
use super::surroundings::Surroundings;
use crate::access::Access;
use crate::audit::Client;
use crate::code::Code;
use crate::deployments::{Lines, is_due, sweep};
use crate::engine::Engine;
use crate::gateway;
use crate::identity::oidc::Keyring;
use crate::problem::Problem;
use crate::sql::{DurableObjectSql, DurableObjectStorage, migrate};
use crate::store;
use crate::store::policies::PolicyCache;
use crate::v1;

/// How soon the sweeper runs after a start that found open intents.
const AFTER_START: SignedDuration = SignedDuration::from_secs(1);

/// How soon the sweeper runs again while intents are open.
const WHILE_OPEN: SignedDuration = SignedDuration::from_mins(1);

/// The one Durable Object of the deploy API, from one start of its process to the next.
///
/// Whatever must outlive a start is in its database; what is kept here can be lost at any moment.
#[wasm_bindgen]
pub struct Ledger {
    storage: DurableObjectStorage,
    sql: DurableObjectSql,
    migrated: Cell<bool>,
    configured: Result<Configured, Misconfigured>,
    policies: PolicyCache,
    lines: Lines,
    alarm: Alarm,
}

struct Configured {
    surroundings: Surroundings,
    keyring: Keyring,
}

#[wasm_bindgen]
impl Ledger {
    /// Takes `ctx.storage` of the Durable Object and the Worker's `env`.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(storage: DurableObjectStorage, env: &JsValue) -> Self {
        let configured = Settings::load(env).map(|settings| Configured {
            keyring: Keyring::new(settings.issuers.clone()),
            surroundings: Surroundings::new(env, settings),
        });
        Self {
            sql: DurableObjectSql::new(storage.clone().unchecked_into()),
            storage,
            migrated: Cell::new(false),
            configured,
            policies: PolicyCache::default(),
            lines: Lines::default(),
            alarm: Alarm::default(),
        }
    }

    /// Serves one request.
    ///
    /// # Errors
    /// When no answer can be made of what was to be answered.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        let incoming = Incoming::of(&request);
        let client = incoming.client();
        let request_id = client.request_id.clone();
        let answer = match self.ready() {
            Ok(configured) => {
                self.serve(configured, &incoming, client, IncomingBody::of(&request))
                    .await
            }
            Err(problem) => answer_in_kind(problem, &incoming.path, &request_id),
        };
        if let Some(problem) = &answer.problem {
            Line::of_problem(problem, &incoming.method, &incoming.path, &request_id).write();
        }
        response(&answer, &request_id)
    }

    /// Closes what earlier requests have left open. Called by the Durable Object's alarm.
    ///
    /// # Errors
    /// When the database fails; the platform then calls again.
    pub async fn alarm(&self) -> Result<(), JsValue> {
        self.alarm.went_off();
        self.sweep().await.map_err(|problem| {
            let cause = problem.cause.as_deref().unwrap_or(&problem.detail);
            Line::error("The sweeper failed", cause).write();
            js_sys::Error::new(&problem.detail).into()
        })
    }

    async fn sweep(&self) -> Result<(), Problem> {
        let configured = self.ready()?;
        let client = Client {
            address: None,
            request_id: "sweeper".to_owned(),
        };
        let engine = self.engine(configured, &client);
        let swept = sweep(&engine).await?;
        if swept.open > 0 {
            let soon = WHILE_OPEN.min(engine.settle_after);
            self.alarm.wake(&self.storage, now(), soon);
        }
        Ok(())
    }

    /// What requests are served with, once the database has its tables.
    fn ready(&self) -> Result<&Configured, Problem> {
        if !self.migrated.get() {
            migrate(&self.sql, store::MIGRATIONS)?;
            self.migrated.set(true);
            // What an earlier start has left open is not left waiting for the next change.
            if is_due(&self.sql)? {
                self.alarm.wake(&self.storage, now(), AFTER_START);
            }
        }
        self.configured.as_ref().map_err(|reason| {
            Problem::new(
                Code::Misconfigured,
                "The deploy API cannot be used as it is configured.",
                "Its operator finds the reason in its log.",
            )
            .caused_by(reason)
        })
    }

    fn engine<'a>(
        &'a self,
        configured: &'a Configured,
        client: &'a Client,
    ) -> Engine<'a, DurableObjectSql, Surroundings> {
        let settings = &configured.surroundings.settings;
        Engine {
            access: Access {
                sql: &self.sql,
                policies: &self.policies,
                bootstrap: settings.bootstrap.as_ref(),
                client,
                now: now(),
            },
            outside: &configured.surroundings,
            lines: &self.lines,
            settle_after: settings.settle_after(),
        }
    }

    async fn serve(
        &self,
        configured: &Configured,
        incoming: &Incoming,
        client: Client,
        body: IncomingBody,
    ) -> gateway::Response {
        let engine = self.engine(configured, &client);
        if !matches!(incoming.method.as_str(), "GET" | "HEAD") {
            let after_the_call = engine.settle_after.saturating_add(AFTER_START);
            self.wake(engine.access.now, after_the_call);
        }
        let request = gateway::Request {
            method: &incoming.method,
            path: &incoming.path,
            query: &incoming.query,
            headers: &incoming.headers,
            body,
        };
        if is_below(&incoming.path, gateway::BASE) {
            return gateway::serve(&engine, request).await;
        }
        let api = v1::Api {
            engine: &engine,
            keyring: &configured.keyring,
            key_source: &configured.surroundings,
            checkpoint_key: configured.surroundings.settings.checkpoint_key.as_ref(),
        };
        api.serve(request).await
    }

    /// Whatever this request begins, the sweeper looks after it when it has not ended.
    fn wake(&self, now: Timestamp, after: SignedDuration) {
        self.alarm.wake(&self.storage, now, after);
    }
}

/// Whether a path is a base or below it.
pub(super) fn is_below(path: &str, base: &str) -> bool {
    path.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
