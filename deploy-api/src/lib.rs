//! The deploy API: authentication ([`identity`]), authorization ([`policy`]), deployments and the audit log ([`audit`]).
//!
//! These modules do not depend on the runtime: callers pass the time, random bytes, key sets and the storage. So they can be
//! built and tested natively.

// The unit tests share files with `tests/support`, which name this crate as other crates do.
#[cfg(test)]
extern crate self as deploy_api;

pub mod access;
pub mod account;
pub mod assets;
pub mod attempt;
pub mod audit;
pub mod bundles;
pub mod code;
pub mod cursor;
pub mod deployments;
pub mod deploys;
pub mod dispatcher;
pub mod download;
pub mod gateway;
pub mod http;
pub mod identity;
pub mod ledger;
pub mod lint;
pub mod logs;
pub mod policy;
pub mod problem;
pub mod router;
pub mod runtime;
mod schema;
pub mod services;
pub mod sql;
pub mod store;
pub mod target;
pub mod time_filter;
pub mod upload;
pub mod upstream;
pub mod v1;
#[cfg(target_arch = "wasm32")]
pub mod worker;
