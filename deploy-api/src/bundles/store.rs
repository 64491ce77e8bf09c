//! The store of bundles and static assets: an R2 bucket.

use jiff::Timestamp;
use thiserror::Error;

/// An object store with ranges and multipart uploads, as R2 has them. Each call is tried once and may wait for a long time:
/// the gateway uses [`Retrying`](super::Retrying), which adds time limits and retries.
pub trait ObjectStore {
    /// Stores an object. When this returns, the object is durable. An object of the same key is replaced.
    fn put(&self, key: &str, bytes: &[u8]) -> impl Future<Output = Result<(), StoreFailure>>;

    /// The size and age of an object, or `None` if there is none.
    fn head(&self, key: &str) -> impl Future<Output = Result<Option<ObjectHead>, StoreFailure>>;

    /// Bytes of an object, or `None` if there is no such object. Less than `range.length` bytes are returned if the object
    /// ends earlier. Callers verify digests.
    fn get(
        &self,
        key: &str,
        range: Option<ByteRange>,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreFailure>>;

    /// Deletes objects, at most 1,000. A key without an object is not an error.
    fn delete(&self, keys: &[String]) -> impl Future<Output = Result<(), StoreFailure>>;

    /// At most 1,000 objects whose key begins with `prefix`, in the order of their keys.
    fn list(
        &self,
        prefix: &str,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<ObjectPage, StoreFailure>>;

    /// Starts a multipart upload and returns its id. Every part but the last must have the same size, at least 5 MiB.
    fn create_multipart(&self, key: &str) -> impl Future<Output = Result<String, StoreFailure>>;

    /// Uploads one part. Parts are numbered from 1.
    fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        bytes: &[u8],
    ) -> impl Future<Output = Result<UploadedPart, StoreFailure>>;

    /// Makes an object of the parts. When this returns, the object is durable.
    fn complete_multipart(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> impl Future<Output = Result<(), StoreFailure>>;

    /// Discards the parts of an upload.
    fn abort_multipart(&self, key: &str, upload: &str) -> impl Future<Output = Result<(), StoreFailure>>;
}

/// A range of bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte, from 0.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
}

/// The properties of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was stored last.
    pub uploaded: Timestamp,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<ObjectHead>,
    /// The cursor of the next page; `None` on the last one.
    pub cursor: Option<String>,
}

/// One part of a multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// Its number, from 1.
    pub number: u16,
    /// The store's digest of it.
    pub etag: String,
}

/// A call to the store failed. The text is for the log: it is the runtime's, and contains none of the stored bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the bundle store failed: {0}")]
pub struct StoreFailure(pub String);
