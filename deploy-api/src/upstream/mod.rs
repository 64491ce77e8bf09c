//! The Cloudflare API, which changes the Workers of a namespace.
//!
//! A [`UpstreamRequest`] is built from parsed parts only: no path, header or credential of a client is ever passed on.

mod body;
mod call;
mod request;
pub mod script;

use thiserror::Error;

use crate::problem::Problem;

pub use body::{Piece, UpstreamBody};
pub use call::{CallFailure, Called, Effect, Reply, call, failure_of};
pub use request::{Bearer, Method, Purpose, UpstreamRequest};

/// Sends calls to the Cloudflare API, or to the local platform in its place.
pub trait Upstream {
    /// Reserves one call, because Cloudflare limits the calls of a token within five minutes.
    ///
    /// # Errors
    /// `UPSTREAM_RATE_LIMITED` with the time after which calls can be reserved again, or the problem of the ledger, which
    /// counts them.
    fn reserve(&self, purpose: Purpose) -> impl Future<Output = Result<(), Problem>>;

    /// Sends one call and reads the whole answer.
    ///
    /// The implementation puts `https://api.cloudflare.com/client/v4` in front of
    /// [`path_and_query`](UpstreamRequest::path_and_query), sends `Authorization: Bearer` as
    /// [`bearer`](UpstreamRequest::bearer) says, `Content-Type` and `cf-r2-jurisdiction` where the request has them, and no other
    /// header of the request.
    /// It follows no redirect, and reads at most [`MAX_ANSWER`] bytes of the body (more is
    /// [`UpstreamFailure::Interrupted`]). An answer of any HTTP status is an answer.
    ///
    /// # Errors
    /// If there is no complete response. The call may have been executed.
    fn send(&self, request: UpstreamRequest)
    -> impl Future<Output = Result<UpstreamAnswer, UpstreamFailure>>;
}

/// The maximum length of a response, in bytes: a page of 1,000 scripts has less than 1 MB.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The answer of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `CF-Ray`.
    pub cf_ray: Option<String>,
    /// The header `Retry-After`, where it is a number of seconds.
    pub retry_after: Option<u32>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why there is no complete response. In each case it is unknown whether the call was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UpstreamFailure {
    /// There was none within the timeout (a minute by default).
    #[error("there was no response in time")]
    Timeout,
    /// The connection could not be made, or ended before the answer's head.
    #[error("the connection failed")]
    Connection,
    /// The answer ended in its middle, or was longer than [`MAX_ANSWER`].
    #[error("the answer was cut off")]
    Interrupted,
}
