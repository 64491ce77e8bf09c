//! The message that checks whether the ledger works.

use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::attempt::AttemptId;
use crate::audit::Client;
use crate::identity::ShownCredential;
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::audit_log;

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
}

impl Message for CheckHealth {
    const NAME: &'static str = "check-health";
    type Answer = LedgerHealth;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn check_health(&self, message: &CheckHealth) -> Result<LedgerHealth, Problem> {
        audit_log::head(&self.sql)?;
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
        })
    }
}
