//! Requests through the dispatch Worker, which health checks and verifications send.

use thiserror::Error;

/// Sends requests through the dispatch Worker.
pub trait Dispatcher {
    /// Sends `GET https://{host}{path}` without credentials to the dispatch Worker, through a service binding (so without DNS
    /// and caches), and returns the status and the error of the response. Redirects are not followed, the body is discarded,
    /// and the time limit is ten seconds.
    ///
    /// # Errors
    /// If there is no response.
    fn request(
        &self,
        host: &str,
        path: &str,
    ) -> impl Future<Output = Result<DispatcherAnswer, DispatcherFailure>>;
}

/// The head of a response through the dispatch Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatcherAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `X-Dispatch-Error`, which is set if the response is the dispatch Worker's and not the Worker's.
    pub error: Option<String>,
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
