//! Static assets: wrangler uploads them before the Worker, in a session of several requests ("buckets").
//!
//! 1. The client sends a manifest ([`read_manifest`]). The gateway stores it, opens a session at the Cloudflare API, and
//!    answers with its own signed token ([`AssetSession`]), which contains everything that the next requests need.
//! 2. Each bucket is streamed into one object of the bundle store and uploaded from there ([`read_bucket`]).
//!    A newer client uploads each file on its own, without a form ([`read_single_file`]); the object has the same form.
//! 3. A deploy finds the files of its session in the bundle store ([`of_session`]), and stores a manifest with the location
//!    of each file ([`deployed_manifest`]).
//! 4. A rollback or a promotion uploads the files that the Cloudflare API does not have from these locations
//!    ([`Redeployment`]).
//!
//! No step asks the ledger, and no step holds a file in memory.

mod base64_check;
mod bucket;
mod bucket_failure;
mod bucket_index;
mod client_manifest;
mod collect;
mod form;
mod form_reader;
mod location;
mod manifest;
mod manifest_json;
mod manifest_search;
mod names;
mod redeploy;
mod session_token;
mod single_file;

pub use bucket::{Bucket, read_bucket};
pub use bucket_failure::{BucketFailure, MAX_BUCKET, MAX_BUCKET_FILES, MAX_FILE};
pub use bucket_index::{IndexEntry, IndexFailure};
pub use client_manifest::{InvalidManifest, MAX_MANIFEST, read_manifest};
pub use collect::{DeployedManifest, deployed_manifest, of_session};
pub use form::ASSET_FORM_TYPE;
pub use location::{ContentDigest, Location, NO_CONTENT_TYPE};
pub use manifest::{MAX_FILES, Manifest, ManifestFile};
pub use manifest_json::{BrokenManifest, manifest_key};
pub use manifest_search::{SEARCHED_PART, find_file};
pub use names::{AssetHash, InvalidAssetHash, InvalidSessionId, SessionId};
pub use redeploy::{RedeployFailure, Redeployment};
pub use session_token::{
    AssetSession, InvalidSessionToken, MAX_SESSION_TOKEN, SessionKey, SessionTokenTooLong, TokenKind,
    VerifiedSession,
};
pub use single_file::{MAX_SINGLE_FILES, SingleFile, read_single_file};

use crate::code::Code;
use crate::problem::Problem;

/// The error for the client if static assets cannot be read from the bundle store or stored in it.
fn store_problem(cause: &impl ToString) -> Problem {
    Problem::new(
        Code::BundleStoreUnavailable,
        "The bundle store failed, so nothing was deployed.",
        "Try again in a moment.",
    )
    .caused_by(cause)
    .retry_after(5)
}
