//! What was deployed: an order for each Worker, intents before and outcomes after, rollback, promotion, locks.

mod again;
mod asset_call;
mod assets;
mod change;
mod conclude;
mod deploy;
mod id;
mod lines;
mod look;
mod migration_path;
mod owed_probe;
mod probed;
mod probing;
mod record;
mod settle;
mod ship;
mod sweep;
mod turn;

pub use id::{DeploymentId, InvalidDeploymentId, TAG_PREFIX};
pub use lines::{Line, Lines};
pub use record::{Deployment, Failure, Probe, State, Warning};
pub use sweep::{Swept, is_due, sweep};

pub(crate) use again::{again, named, previous};
pub(crate) use asset_call::AssetCall;
pub(crate) use assets::{
    NO_CONTENT_TYPE, is_hash, manifest_body, read_manifest, read_session, session_unknown, upload_request,
};
pub(crate) use change::{Trace, change, worker_unknown};
pub(crate) use deploy::deploy;
pub(crate) use look::{described, held, without_own};
pub(crate) use probed::probed;
pub(crate) use probing::host;
pub(crate) use ship::{MAX_TAGS, bundle_store_unavailable, ship, too_many_tags};
pub(crate) use turn::Turn;
