//! Uploads: the metadata and the modules of a Worker. An upload is read from a client that may be hostile
//! ([`read_streamed`]) and is never passed on as received: the form for the Cloudflare API is written from the parts that
//! were checked ([`script_pieces`]).

mod account_script;
mod admission;
mod bindings;
mod feeder;
mod fields;
mod fingerprint;
mod form;
mod form_error;
mod log_consumer;
mod metadata;
mod migrations;
mod namespace_services;
mod object_classes;
mod own_deployment;
mod part;
mod reader;
mod record;
mod redeployed_metadata;
mod renewing;
mod resolve;
mod size;
mod source;
mod stored_form;
mod streamed;
mod upload_key;

pub use account_script::read_account_script;
pub use admission::{Admission, BUDGET, Permit};
pub(crate) use bindings::redacted;
pub use bindings::{BindingRef, is_secret_type};
pub(crate) use feeder::Feeder;
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use form::script_pieces;
pub use form_error::{MAX_NAMES, MAX_PARTS};
pub(crate) use log_consumer::{remove_log_consumer, with_log_consumer};
pub use metadata::Metadata;
pub use migrations::Migrations;
pub use namespace_services::NamespaceServices;
pub(crate) use namespace_services::{SELF_REFERENCE, as_authored, is_of_platform, platform_worker};
pub use object_classes::{ClassState, ObjectClasses};
pub use own_deployment::OWN_DEPLOYMENT;
pub(crate) use own_deployment::{remove_own_deployment, with_own_deployment};
pub use record::with_metadata;
pub(crate) use renewing::Renewing;
pub use resolve::Unresolved;
pub(crate) use resolve::of_this_worker;
pub use size::{MAX_COMPRESSED, MAX_COMPRESSED_MAPS, MAX_SCRIPT};
pub use source::{Limited, Source, SourceFailure};
pub(crate) use stored_form::StoredForm;
pub use streamed::{SealedUpload, StreamOptions, StreamedUpload, read_streamed};
pub use upload_key::{InvalidUploadKey, UploadKey};

/// The most bytes of an upload's body. Cloudflare passes no longer body on to a Worker.
/// <https://developers.cloudflare.com/workers/platform/limits/#request-and-response-limits>
pub const MAX_UPLOAD: usize = 100_000_000;
