//! Deletes the staging object of an upload that did not begin.

use std::pin::pin;

use futures_util::future::select;

use super::Gateway;
use crate::bundles::Staged;
use crate::code::Code;
use crate::ledger::{LedgerClient, Unreferenced};
use crate::problem::Problem;
use crate::services::Services;

/// The time limit of the deletion, in milliseconds. The client waits for it.
const LIMIT: u32 = 5_000;

/// Whether an error of [`Begin`](crate::ledger::Begin) says for certain that the change did not begin. If the answer of the
/// ledger was lost, a record may reference the object.
pub(super) const fn did_not_begin(problem: &Problem) -> bool {
    !matches!(problem.code, Code::RecordUnavailable | Code::Internal)
}

/// Deletes the object of an upload if no record references it. Bytes that are only in memory need nothing. Failures are ignored:
/// garbage collection deletes the object after 24 hours.
pub(super) async fn discard<L: LedgerClient, O: Services>(gateway: &Gateway<'_, L, O>, contents: &Staged) {
    let Staged::Object { key, .. } = contents else {
        return;
    };
    let deletion = async {
        let keys = vec![key.clone()];
        let Ok(unreferenced) = gateway.send(&Unreferenced { keys }).await else {
            return;
        };
        if !unreferenced.is_empty() {
            let _ = gateway.services.delete(&unreferenced).await;
        }
    };
    select(pin!(deletion), pin!(gateway.services.pause(LIMIT))).await;
}
