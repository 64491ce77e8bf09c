//! The calls of `/v1` about tokens, the policy and the audit log: from a request that has been read to an answer.
//!
//! None of them knows HTTP beyond its status codes; who asks has been authenticated before
//! ([`Access::authenticate`](crate::access::Access::authenticate)), except for the exchange, which is how runs begin.

mod answer;
pub mod audit;
mod body;
pub mod exchange;
pub mod explain;
mod page;
pub mod policy;
pub mod tokens;

pub use answer::{Answer, Content};
