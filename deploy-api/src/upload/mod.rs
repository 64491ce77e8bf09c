//! One upload: the metadata and the modules of a Worker. It is read from a client that may be hostile, and written again for
//! the upstream.
//!
//! What a client sends is read once ([`read`]), held as an [`Upload`], and never passed on as it came: the form that
//! goes upstream is written from the parts, so that the upstream sees what was checked.

mod admission;
mod bindings;
mod feeder;
mod fingerprint;
mod form;
mod metadata;
mod migrations;
mod part;
mod reader;
mod size;
mod source;
mod streamed;
mod upload_key;

pub use admission::{Admission, BUDGET, Permit};
pub use bindings::{BindingRef, is_secret_type};
pub(crate) use feeder::Feeder;
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use form::{asset_form, script_form, script_pieces};
pub use metadata::Metadata;
pub use migrations::Migrations;
pub use part::Part;
pub use reader::{Field, MAX_PARTS, fields, read};
pub use size::{MAX_COMPRESSED, check_compressed};
pub use source::{Limited, Source, SourceFailure};
pub use streamed::{SealedUpload, StreamOptions, StreamedUpload, read_streamed};
pub use upload_key::{InvalidUploadKey, UploadKey};

/// The most bytes of an upload's body: what fits into the memory of a Worker several times. Of its modules at most
/// [`MAX_COMPRESSED`] bytes may be left after compression, as the platform has it.
pub const MAX_UPLOAD: usize = 32 * 1024 * 1024;

/// An upload that has been read.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The metadata, secrets included.
    pub metadata: Metadata,
    /// The modules and source maps, in the order of the upload.
    pub parts: Vec<Part>,
}
