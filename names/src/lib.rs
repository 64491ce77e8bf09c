//! The names that every part of the platform shares.
//!
//! An [`Environment`] is one dispatch namespace with its id, its binding and its host labels; a [`WorkerName`] is a
//! name that the dispatch Worker can route to. Both are parsed once, at the edge, and carried as types from there on.
//!
//! ```
//! use dotdo_names::{Environment, WorkerName};
//!
//! assert_eq!(Environment::from_host_label("dev"), Some(Environment::Development));
//! assert_eq!(Environment::Staging.namespace(), "dotdo-staging");
//! assert!(WorkerName::parse("agents").is_ok());
//! assert!(WorkerName::parse("staging").is_err(), "an environment's label is never a Worker");
//! ```

mod environment;
mod worker_name;

pub use environment::Environment;
pub use worker_name::{InvalidWorkerName, MAX_WORKER_NAME, REGISTRY_SUFFIXES, WorkerName};

/// The Cloudflare account (Driv.ly) that owns the three namespaces.
pub const ACCOUNT_ID: &str = "b6641681fe423910342b9ffa1364c76d";

/// The script name of the dispatch Worker in that account, as its `wrangler.jsonc` has it.
pub const DISPATCH_WORKER: &str = "dispatcher";

/// The script name of the deploy API in that account, as its `wrangler.jsonc` has it.
pub const DEPLOY_API_WORKER: &str = "deploy-api";

/// The public page that explains every error code, a section each: `docs/errors.md`.
pub const ERRORS_PAGE: &str = "https://github.com/drivly/dispatch.do/blob/main/docs/errors.md";
