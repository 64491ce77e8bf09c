//! Requests through the dispatch Worker, which tell whether a Worker is really reached.

use thiserror::Error;

/// Sends requests through the dispatch Worker.
pub trait Dispatcher {
    /// Sends `GET https://{host}{path}` to the dispatch Worker (a service binding, so that no DNS and no cache is in
    /// between), without any credential, and gives the head of the answer. It follows no redirect, drops the body, and
    /// waits ten seconds at most.
    ///
    /// # Errors
    /// When no answer came.
    fn request(
        &self,
        host: &str,
        path: &str,
    ) -> impl Future<Output = Result<DispatcherAnswer, DispatcherFailure>>;
}

/// The head of an answer that came through the dispatch Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatcherAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `X-Dispatch-Error`: set when it was the dispatch Worker that answered, not the Worker.
    pub error: Option<String>,
}

/// No answer came through the dispatch Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DispatcherFailure {
    /// None came in time.
    #[error("no answer came in time")]
    Timeout,
    /// The dispatch Worker could not be asked.
    #[error("the dispatch Worker could not be asked")]
    Connection,
}
