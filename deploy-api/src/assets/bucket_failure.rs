//! The limits of an upload of static assets, and why one was not stored.

use thiserror::Error;

use super::AssetHash;
use crate::bundles::StoreFailure;
use crate::code::Code;
use crate::problem::Problem;

/// The longest upload of static assets, in bytes: a file of [`MAX_FILE`] bytes in base64, with space for the form.
pub const MAX_BUCKET: u64 = 40 * 1024 * 1024;

/// The largest static asset, in bytes: what the Cloudflare API accepts.
/// <https://developers.cloudflare.com/workers/platform/limits/#static-assets>
pub const MAX_FILE: u64 = 25 * 1024 * 1024;

/// The most files of one upload.
pub const MAX_BUCKET_FILES: usize = 5_000;

/// An upload of static assets was not stored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BucketFailure {
    /// It cannot be read.
    #[error("{0}")]
    Malformed(&'static str),
    /// It has more than [`MAX_BUCKET`] bytes.
    #[error("it has more than {MAX_BUCKET} bytes")]
    TooLarge,
    /// It has more than [`MAX_BUCKET_FILES`] files.
    #[error("it has more than {MAX_BUCKET_FILES} files")]
    TooManyFiles,
    /// A file has more than [`MAX_FILE`] bytes.
    #[error("the file {hash} has more than {MAX_FILE} bytes")]
    FileTooLarge {
        /// Its hash.
        hash: AssetHash,
    },
    /// The manifest of the session has no file with this hash.
    #[error("the manifest of the session has no file {hash}")]
    UnknownFile {
        /// The hash.
        hash: AssetHash,
    },
    /// A file has another size than in the manifest of the session.
    #[error("the file {hash} does not have the {size} bytes that the manifest of the session states")]
    WrongSize {
        /// Its hash.
        hash: AssetHash,
        /// The size in the manifest, in bytes.
        size: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<BucketFailure> for Problem {
    fn from(failure: BucketFailure) -> Self {
        let detail = format!("The static assets cannot be read: {failure}.");
        match failure {
            BucketFailure::Malformed(_) => Self::new(
                Code::UploadMalformed,
                detail,
                "Deploy with an unchanged wrangler.",
            ),
            BucketFailure::TooLarge => {
                Self::new(Code::UploadTooLarge, detail, "Deploy with an unchanged wrangler.")
            }
            BucketFailure::TooManyFiles => Self::new(
                Code::UploadTooManyParts,
                detail,
                "Deploy with an unchanged wrangler.",
            ),
            BucketFailure::FileTooLarge { .. } => {
                Self::new(Code::UploadTooLarge, detail, "Store larger files in R2.")
            }
            BucketFailure::UnknownFile { .. } | BucketFailure::WrongSize { .. } => Self::new(
                Code::UploadMalformed,
                detail,
                "Do not change the files during a deploy, and run `wrangler deploy` again from its beginning.",
            ),
            BucketFailure::Store(failure) => super::store_problem(&failure),
        }
    }
}
