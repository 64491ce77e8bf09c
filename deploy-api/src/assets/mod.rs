//! Static assets: wrangler uploads them before the Worker, in a session of several requests ("buckets").
//!
//! 1. The client sends a manifest. The gateway stores it, opens a session at the Cloudflare API, and
//!    answers with its own signed token ([`AssetSession`]), which contains everything that the next requests need.
//! 2. Each bucket is streamed into one object of the bundle store and uploaded from there .
//! 3. A deploy finds the files of its session in the bundle store ([`of_session`]), and stores a manifest with the location
//!    of each file ([`deployed_manifest`]).
//! 4. A rollback or a promotion uploads the files that the Cloudflare API does not have from these locations
//!    ([`bucket_body`]).

mod location;
mod manifest;
mod manifest_json;
mod names;
mod session_token;

pub use location::{ContentDigest, Location, NO_CONTENT_TYPE};
pub use manifest::{MAX_FILES, Manifest, ManifestFile};
pub use manifest_json::{BrokenManifest, InvalidManifest, MAX_MANIFEST, manifest_key, read_manifest};
pub use names::{AssetHash, InvalidAssetHash, InvalidSessionId, SessionId};
pub use session_token::{
    AssetSession, InvalidSessionToken, MAX_SESSION_TOKEN, SessionKey, SessionTokenTooLong, TokenKind,
    VerifiedSession,
};
