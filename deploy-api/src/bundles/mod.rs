//! The bundle store: the contents of uploads, which redeploys read, and the interface of the object store (R2).

mod assets;
mod digest;
mod head;
mod retrying;
mod staged_writer;
mod store;
mod stored_bundle;

pub use assets::{AssetFile, AssetManifest};
pub use digest::{Digest, InvalidDigest};
pub use head::{BrokenBundle, BundleHead, StoredPart, bundle_key, metadata_key, staging_key};
pub use retrying::Retrying;
pub use staged_writer::{MAX_BUFFERED, PART, Staged, StagedWriter};
pub use store::{ByteRange, ObjectHead, ObjectPage, ObjectStore, StoreFailure, UploadedPart};
pub use stored_bundle::{OpenFailure, StoredAssets, StoredBundle, open};

#[cfg(test)]
#[path = "../../tests/support/memory_store.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the unit tests use only a part of the module"
)]
mod memory_store;
#[cfg(test)]
pub(crate) use memory_store::MemoryStore;
