//! The calls of `/v1` that only read or change the database of the ledger: one message each, [`Call`](super::Call).
//!
//! A function here gets the authenticated caller, the parameters and the body of a request, and returns the [`Answer`]. The
//! gateway reads the request and writes the response.

mod answer;
pub mod audit;
pub mod audit_segments;
pub(crate) mod body;
pub mod deployments;
pub mod exchange;
pub mod explain;
pub mod health_check;
pub mod locks;
mod operation;
pub(crate) mod page;
mod path;
pub mod policy;
pub mod shown_deployment;
pub mod status;
pub mod tokens;
pub mod whoami;

pub use answer::{Answer, Content};
pub use operation::Operation;
pub use path::{dispatch_namespace, namespace, target, worker_name};
