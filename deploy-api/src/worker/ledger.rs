//! The Durable Object: messages of the gateway in, answers out, and the alarm that runs the reconciler.

use std::cell::OnceCell;

use jiff::SignedDuration;
use wasm_bindgen_futures::JsFuture;
use worker::{DurableObject, Env, State, durable_object};

use super::alarm::Alarm;
use super::log::Line;
use super::reconciler::ReconcilerStub;
use super::runtime::{WorkersRuntime, now};
use super::services::misconfigured;
use super::settings::Settings;
use crate::cursor::CursorKey;
use crate::ledger;
use crate::problem::Problem;
use crate::sql::{DurableObjectSql, migrate};
use crate::store;
use crate::store::audit_archive::ArchiveRules;

/// The address of the ledger's messages: `POST https://ledger/{name}`.
const MESSAGES: &str = "https://ledger/";

/// How soon the alarm runs again after a reconciliation that failed.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(10);

/// The one Durable Object of the deploy API, from one start of its process to the next.
///
/// Durable state is in the database; the memory can be lost at any time.
#[durable_object(alarm)]
pub struct Ledger {
    state: State,
    env: Env,
    /// Set by the first message, once the database has its tables.
    opened: OnceCell<ledger::Ledger<DurableObjectSql, WorkersRuntime>>,
    alarm: Alarm,
}

impl DurableObject for Ledger {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            opened: OnceCell::new(),
            alarm: Alarm::default(),
        }
    }

    /// Answers a message.
    async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        let request = request.inner();
        let url = request.url();
        let name = url.strip_prefix(MESSAGES).unwrap_or_default();
        let message = JsFuture::from(request.text()?).await?;
        let message = message.as_string().unwrap_or_default();
        let answer = match self.ledger() {
            Ok(ledger) => {
                let answer = ledger.answer(name, &message).await;
                self.set_alarm(ledger);
                answer
            }
            Err(problem) => serde_json::to_string(&Err::<(), _>(problem)).unwrap_or_default(),
        };
        worker::Response::ok(answer)
    }

    /// Runs the reconciler, and sets the alarm for what is due next. If this fails, the platform calls it again.
    async fn alarm(&self) -> worker::Result<worker::Response> {
        self.alarm.runs();
        let ledger = self
            .ledger()
            .map_err(|problem| worker::Error::RustError(problem.detail))?;
        match ReconcilerStub::of(&self.state).reconcile().await {
            Ok(()) => self.set_alarm(ledger),
            Err(error) => {
                Line::error("The reconciler failed", &error.to_string()).write();
                self.alarm.wake(self.state.storage(), now(), AFTER_FAILURE);
            }
        }
        worker::Response::empty()
    }
}

impl Ledger {
    fn ledger(&self) -> Result<&ledger::Ledger<DurableObjectSql, WorkersRuntime>, Problem> {
        if let Some(ledger) = self.opened.get() {
            return Ok(ledger);
        }
        let settings = Settings::load(&self.env).map_err(|reason| misconfigured(&reason))?;
        let sql = DurableObjectSql::new(&self.state.storage());
        migrate(&sql, store::MIGRATIONS)?;
        let settings = ledger::Settings {
            upstream_timeout: settings.upstream_timeout(),
            upstream_calls: settings.upstream_calls,
            preview_lifetime: settings.preview_lifetime(),
            worker_urls: settings.worker_urls,
            checkpoint_key: settings.checkpoint_key,
            cursor_key: CursorKey::new(&settings.upload_key.cursor_key()),
            archive: ArchiveRules::DEFAULT,
        };
        Ok(self
            .opened
            .get_or_init(|| ledger::Ledger::new(sql, WorkersRuntime, settings)))
    }

    /// Sets the alarm for when the reconciler has something to do.
    fn set_alarm(&self, ledger: &ledger::Ledger<DurableObjectSql, WorkersRuntime>) {
        match ledger.next_due() {
            Ok(Some(due)) => {
                let after = due.duration_since(now()).max(SignedDuration::ZERO);
                self.alarm.wake(self.state.storage(), now(), after);
            }
            Ok(None) => {}
            Err(error) => Line::error("The database failed", &error.to_string()).write(),
        }
    }
}
