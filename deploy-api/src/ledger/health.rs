//! The message that checks whether the ledger works.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::attempt::AttemptId;
use crate::audit::Client;
use crate::identity::ShownCredential;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::{audit_log, health};

/// A health check writes to the database at most once in this time: a write is charged, and every client may check.
const WRITE_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// Checks the ledger's database. The upstream is not called, so frequent checks are allowed for every client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckHealth {
    /// The attempt.
    pub attempt: AttemptId,
    /// The credential of the request; `None` if it has none.
    pub credential: Option<ShownCredential>,
    /// Where it came from.
    pub client: Client,
}

/// The database works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHealth {
    /// The size of the Wasm memory of the ledger's instance, in bytes. `None` unless the caller may administer the platform.
    pub wasm_memory_bytes: Option<u64>,
    /// The size of the database, in bytes. `None` unless the caller may administer the platform.
    #[serde(default)]
    pub database_bytes: Option<u64>,
}

impl Message for CheckHealth {
    const NAME: &'static str = "check-health";
    type Answer = LedgerHealth;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn check_health(&self, message: &CheckHealth) -> Result<LedgerHealth, Problem> {
        audit_log::head(&self.sql)?;
        self.check_write()?;
        let is_administrator = match &message.credential {
            None => false,
            Some(credential) => {
                let access = self.access(&message.client);
                let caller = access.authenticate(credential, &message.attempt)?;
                access.may(&caller, &Request::platform(Action::Admin))?
            }
        };
        let wasm_memory_bytes = self.runtime.wasm_memory_bytes();
        Ok(LedgerHealth {
            wasm_memory_bytes: wasm_memory_bytes.filter(|_| is_administrator),
            database_bytes: is_administrator.then(|| self.sql.size()).transpose()?,
        })
    }

    /// Checks that the database can be written, unless a check succeeded a moment ago.
    fn check_write(&self) -> Result<(), Problem> {
        let now = self.runtime.now();
        let is_recent = |written: Timestamp| now.duration_since(written).abs() < WRITE_INTERVAL;
        if self.written.get().is_some_and(is_recent) {
            return Ok(());
        }
        health::write(&self.sql, now)?;
        self.written.set(Some(now));
        Ok(())
    }
}
