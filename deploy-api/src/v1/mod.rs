//! The HTTP API under `/v1`: its routes, reading a request, and the calls that need Cloudflare or the bundle store.
//!
//! The calls that need only the database are messages to the ledger ([`crate::ledger::calls`]).

pub mod account;
pub mod audit_segments;
mod calls;
pub mod deletion;
pub mod dispatcher;
mod documents;
pub mod drift;
pub mod everywhere;
pub mod exchange;
mod health;
pub mod import;
pub mod logs;
pub mod namespaces;
#[cfg(not(target_arch = "wasm32"))]
pub mod openapi;
#[cfg(not(target_arch = "wasm32"))]
mod parameters;
pub mod preview;
pub mod promote;
mod read;
mod reply;
pub mod rollback;
mod route;
mod routes;
mod secret_text;
pub mod secrets;
mod serve;
pub mod tags;
pub mod types;
pub mod verify;
pub mod workers;

pub use crate::ledger::calls::{
    Answer, Content, Operation, dispatch_namespace, namespace, target, worker_name,
};
use crate::ledger::calls::{body, page, shown_deployment};

pub use calls::{Api, OPENAPI};
pub use reply::{Reply, of_problem};
pub use route::{MAX_BODY, Route, Taken};
pub use routes::ROUTES;
