//! Requests through the dispatch Worker, which health checks and verifications send.

use thiserror::Error;

/// The maximum number of bytes of a body that are read.
pub const MAX_BODY: usize = 64 * 1024;

/// Sends requests through the dispatch Worker.
pub trait Dispatcher {
    /// Sends `GET https://{host}{path}` without credentials to the dispatch Worker, through a service binding (so without DNS
    /// and caches), and returns the status and the error of the response, and the part of it that is `wanted`. Redirects are not
    /// followed, and the time limit is ten seconds.
    ///
    /// # Errors
    /// If there is no response.
    fn request(
        &self,
        host: &str,
        path: &str,
        wanted: Wanted<'_>,
    ) -> impl Future<Output = Result<DispatcherAnswer, DispatcherFailure>>;
}

/// The part of a response that is read besides its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Nothing: the body is discarded.
    Nothing,
    /// The value of the header of this name.
    Header(&'a str),
    /// The first [`MAX_BODY`] bytes of the body.
    Body,
}

/// A response through the dispatch Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatcherAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `X-Dispatch-Error`, which is set if the response is the dispatch Worker's and not the Worker's.
    pub error: Option<String>,
    /// What was [`Wanted`], as text; `None` if nothing was, or the response does not have it. Bytes that are not UTF-8 are replaced.
    pub content: Option<String>,
}

/// There is no response of the dispatch Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DispatcherFailure {
    /// The time limit was exceeded.
    #[error("there was no response in time")]
    Timeout,
    /// The request could not be sent.
    #[error("the dispatch Worker could not be reached")]
    Connection,
}
