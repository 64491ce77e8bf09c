//! How Workers are changed: deploy, rollback, promotion, secrets, tags, and the reconciler that finishes what was interrupted.
//!
//! Everything here runs in the gateway, which is stateless. The states of a change and their invariants are those of the
//! [`ledger`](crate::ledger):
//!
//! ```text
//!  deploy    prepare ─▶ store the bundle ──┐
//!                       begin ─────────────┴─▶ upload ─▶ finish ─▶ health check ─▶ finish health check
//!                         │                      │                      │ failed: undo = begin, upload, finish
//!                         ▼                      ▼                      ▼
//!                       refused          answer lost: reconcile     rolled back
//! ```
//!
//! - Nothing is sent to the upstream without a lease, and a lease is renewed before each upload.
//! - Each upload has its deployment's id as a tag, so the tags of the script tell whether the upload was executed.
//! - The reconciler finishes every change that the gateway did not finish.

mod assets;
mod change;
mod deploy;
mod gateway;
mod health_check;
mod lease;
mod migration_path;
mod reconcile;
mod redeploy;
mod remote;
mod upload;

pub use gateway::Gateway;
pub use reconcile::{collect_garbage, reconcile};

pub(crate) use assets::{bucket_request, read_session, session_request, session_unknown};
pub(crate) use change::{LostAnswer, change, worker_unknown};
pub(crate) use deploy::deploy;
pub(crate) use health_check::host;
pub(crate) use lease::Lease;
pub(crate) use redeploy::{redeploy, stored_bundle};
pub(crate) use remote::{remote_script, remote_tags, without_own};
pub(crate) use upload::{MAX_TAGS, too_many_tags};
