//! The logs of Workers, which the logs Worker stores: the types of events, and what the deploy API asks for.

mod event;
mod query;

use thiserror::Error;

pub use event::{DroppedEvents, LogEvent, LogException, LogLevel, LogLine, LogPage, LogSource, LogTrigger};
pub use query::{LogQuery, Position};

/// The logs Worker.
pub trait Logs {
    /// A page of the log of a Worker, the newest event first.
    ///
    /// # Errors
    /// If the logs Worker does not return one.
    fn log_page(&self, query: &LogQuery) -> impl Future<Output = Result<LogPage, LogsFailure>>;
}

/// The logs Worker did not return what was requested. The text is for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LogsFailure {
    /// It was not reached, or did not respond in time.
    #[error("the logs Worker did not respond: {0}")]
    NoResponse(String),
    /// Its response has another status than 200.
    #[error("the logs Worker responded with the status {0}")]
    Status(u16),
    /// Its response is not a page of a log.
    #[error("the response of the logs Worker is not a page of a log: {0}")]
    Unreadable(String),
}
