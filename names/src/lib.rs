//! The names that every part of the platform shares.
//!
//! An [`Environment`] is one dispatch namespace with its id, its binding and its host labels. A [`Namespace`] is that of an
//! environment, or the account with the Workers of the platform. A [`WorkerName`] is a name that the dispatch Worker can route
//! to, and a [`PreviewName`] one of a Worker that expires. They are parsed once, at the edge, and passed on as types. What belongs to the
//! Cloudflare account ([`ACCOUNT_ID`], the namespaces, [`ZONES`] and the rest) comes from `dotdo.jsonc` at the top of the
//! repository: the build script of this crate validates that file and generates the constants.
//!
//! ```
//! use dotdo_names::{Environment, WorkerName};
//!
//! assert_eq!(Environment::from_host_label("dev"), Some(Environment::Development));
//! assert_eq!(Environment::Staging.binding(), "DISPATCHER_STAGING");
//! assert!(WorkerName::parse("agents").is_ok());
//! assert!(WorkerName::parse("staging").is_err(), "an environment label is not a valid Worker name");
//! ```

mod environment;
mod namespace;
mod preview_name;
mod worker_name;

/// What `build/account.rs` generates from `dotdo.jsonc`.
mod account {
    include!(concat!(env!("OUT_DIR"), "/account.rs"));
}

pub use account::{
    ACCOUNT_ID, ACCOUNT_NAME, CUSTOM_HOSTNAME_ZONE, DEPLOY_API_WORKER, DISPATCH_WORKER, ERRORS_PAGE,
    LOGS_WORKER, ZONES,
};
pub use environment::Environment;
pub use namespace::{Namespace, PLATFORM_WORKERS};
pub use preview_name::{PreviewName, TooLongForPreview};
pub use worker_name::{InvalidWorkerName, MAX_WORKER_NAME, REGISTRY_SUFFIXES, WorkerName};
