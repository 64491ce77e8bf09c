//! The Cloudflare API, which alone can change what a namespace holds, as the engine sees it.
//!
//! A [`UpstreamRequest`] is built from parsed parts only: no path, header or credential of a client is ever passed on.

mod body;
mod call;
mod request;
pub mod script;

use thiserror::Error;

pub use body::{Piece, UpstreamBody};
pub use call::{CallFailure, Called, Effect, Reply, call};
pub use request::{Bearer, Method, UpstreamRequest};

/// Sends calls to the Cloudflare API, or to the local platform in its place.
pub trait Upstream {
    /// Sends one call and reads the whole answer.
    ///
    /// The implementation puts `https://api.cloudflare.com/client/v4` in front of
    /// [`path_and_query`](UpstreamRequest::path_and_query), sends `Authorization: Bearer` as
    /// [`bearer`](UpstreamRequest::bearer) says, `Content-Type` where there is one, and no other header of the request.
    /// It follows no redirect, and reads at most [`MAX_ANSWER`] bytes of the body (more is
    /// [`UpstreamFailure::Interrupted`]). An answer of any HTTP status is an answer.
    ///
    /// # Errors
    /// When no whole answer came. The call may have been carried out all the same.
    fn send(&self, request: UpstreamRequest)
    -> impl Future<Output = Result<UpstreamAnswer, UpstreamFailure>>;
}

/// The longest answer that is of use, in bytes: a page of 1,000 scripts stays below 1 MB.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// What the upstream answered.
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

/// Why no whole answer came. In each case it is unknown whether the call was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UpstreamFailure {
    /// None came within the time that the implementation allows (a minute by default).
    #[error("no answer came in time")]
    Timeout,
    /// The connection could not be made, or ended before the answer's head.
    #[error("the connection failed")]
    Connection,
    /// The answer ended in its middle, or was longer than [`MAX_ANSWER`].
    #[error("the answer was cut off")]
    Interrupted,
}
