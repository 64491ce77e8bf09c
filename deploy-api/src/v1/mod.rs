//! The calls of `/v1`: from a request that has been read to an answer.
//!
//! None of them knows HTTP beyond its status codes; who asks has been authenticated before
//! ([`Access::authenticate`](crate::access::Access::authenticate)), except for the exchange, which is how runs begin.

mod answer;
pub mod audit;
pub mod audit_segments;
mod body;
mod calls;
mod captures;
pub mod deployments;
pub mod exchange;
pub mod explain;
mod health;
pub mod locks;
pub mod namespaces;
mod operation;
mod page;
mod path;
pub mod policy;
pub mod probe;
pub mod promote;
mod read;
mod reply;
pub mod rollback;
mod route;
mod routes;
pub mod secrets;
mod serve;
pub mod tags;
pub mod tokens;
pub mod verify;
pub mod workers;

pub use answer::{Answer, Content};
pub use captures::{Captures, capture_name};
pub use operation::Operation;
pub use path::{namespace, target};
pub use reply::{Reply, of_problem};
pub use route::{MAX_BODY, NoRoute, Route, Taken};
pub use routes::ROUTES;
pub use serve::{Api, OPENAPI};
