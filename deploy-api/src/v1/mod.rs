//! The calls of `/v1`: from a request that has been read to an answer.
//!
//! None of them knows HTTP beyond its status codes; who asks has been authenticated before
//! ([`Access::authenticate`](crate::access::Access::authenticate)), except for the exchange, which is how runs begin.

mod answer;
pub mod audit;
mod body;
pub mod deployments;
pub mod exchange;
pub mod explain;
pub mod locks;
pub mod namespaces;
mod operation;
mod page;
mod path;
pub mod policy;
pub mod probe;
pub mod promote;
mod reply;
pub mod rollback;
mod route;
pub mod secrets;
mod serve;
pub mod tags;
pub mod tokens;
pub mod verify;
pub mod workers;

pub use answer::{Answer, Content};
pub use operation::Operation;
pub use path::{namespace, target};
pub use reply::{Reply, of_problem};
pub use route::{Captures, MAX_BODY, NoRoute, ROUTES, Route, Taken, capture_name};
pub use serve::{Api, OPENAPI};
