//! What is kept to be shipped again: the bytes of bundles and of static assets, by their SHA-256.

mod assets;
mod bundle;
mod digest;
mod head;
mod memory_store;
mod retrying;
mod staged_writer;
mod store;
mod stored_bundle;

pub use assets::{AssetFile, AssetManifest};
pub use bundle::{BrokenBundle, Bundle};
pub use digest::{Digest, InvalidDigest};
pub use head::{BundleHead, StoredPart, bundle_key, staging_key};
pub use memory_store::MemoryStore;
pub use retrying::Retrying;
pub use staged_writer::{MAX_BUFFERED, PART, Staged, StagedWriter};
pub use store::{ByteRange, ObjectHead, ObjectPage, ObjectStore, StoreFailure, UploadedPart};
pub use stored_bundle::{OpenFailure, StoredAssets, StoredBundle, open};
