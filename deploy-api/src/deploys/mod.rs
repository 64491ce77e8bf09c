//! Changes of Workers: deploys, imports of account Workers, redeploys (rollback and promotion), secrets, tags, and the reconciler.
//!
//! # States of a deployment
//!
//! ```text
//!                  finish: succeeded                          failed, and the deployment
//! begin             ┌───────────▶ succeeded ───▶ health check ──── before it is redeployed ───▶ rolled_back
//!  └──▶ pending ────┤                                 │
//!                   └───────────▶ failed              └─ passed, unproven, or could not be rolled back: stays succeeded
//!                  finish: failed
//! ```
//!
//! The states are those of [`State`](crate::deployments::State); the ledger records them
//! ([states of a change](crate::ledger)). If the answer of the upstream is lost, the deployment stays `pending` until the
//! same upload or the reconciler records its outcome.
//!
//! # Invariants
//!
//! - The gateway is stateless. An attempt that ends at any point leaves a lease or a pending health check, which the
//!   reconciler completes.
//! - Nothing is sent to the upstream without a lease, and a lease is renewed before each upload.
//! - The bundle is durable before the upload begins, so each deployment that succeeded can be redeployed.
//! - Each upload has its deployment's id as a tag, so the tags of the script tell whether the upload was executed.

mod adopt;
mod assets;
mod binding_change;
mod binding_choices;
mod call_budget;
mod change;
mod deploy;
mod difference;
mod expired_preview;
mod gateway;
mod health_check;
mod import;
mod imported_metadata;
mod inspect;
mod lease;
mod migration_path;
mod object_classes;
mod outcome;
mod prepared_redeploy;
mod promoted_bindings;
mod reconcile;
mod redeploy;
mod redeploy_kind;
mod redeploy_refusal;
mod redeploy_secrets;
mod redeploy_source;
mod remote;
mod source_bundle;
mod staging;
mod undo;
mod upload;
mod upload_check;

pub use call_budget::CallBudget;
pub use gateway::Gateway;
pub use reconcile::{collect_garbage, reconcile};

pub(crate) use adopt::adopt;
pub(crate) use assets::{
    bucket_request, read_session, session_request, session_unknown, single_file_request,
};
pub use binding_change::{BindingChange, ChangeKind as BindingChangeKind, ValueOf as BindingValueOf};
pub use binding_choices::Choice;
pub(crate) use binding_choices::Choices;
pub(crate) use change::{SmallChange, change, worker_unknown};
pub(crate) use deploy::{Origin, deploy};
pub use difference::{ModuleChanges, PromotionDifference};
pub(crate) use health_check::host;
pub(crate) use import::import;
pub(crate) use imported_metadata::Import;
pub(crate) use inspect::{find_drift, next_page, versions};
pub(crate) use lease::Lease;
pub(crate) use prepared_redeploy::RedeployOptions;
pub(crate) use redeploy::{preview, redeploy};
pub(crate) use remote::{
    RemoteState, read_state, remote_script, remote_settings, remote_state, remote_tags, without_own,
};
pub(crate) use source_bundle::stored_bundle;
pub(crate) use upload::{MAX_TAGS, too_many_tags};
pub(crate) use upload_check::refused_for_platform;
