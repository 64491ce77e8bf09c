//! The wrangler gateway: which calls of `/client/v4` are served at all, and what the others are told.
//!
//! A call is parsed into a [`Route`] before anything else happens. What is not on the list never reaches the upstream,
//! and what is on it reaches the upstream only through a URL that is built anew from the parsed parts.

mod envelope;
mod path;
mod refused;
mod route;
mod serve;

pub use envelope::{Absent, Envelope, Message};
pub use path::{BASE, segments};
pub use route::{Route, is_method_override};
pub use serve::{Body, BodyFailure, Request, Response, serve};
