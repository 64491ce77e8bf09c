//! The body of a request as chunks.

use bytes::Bytes;
use thiserror::Error;

use super::form_error::malformed;
use super::size::too_large;
use crate::code::Code;
use crate::problem::Problem;

/// The body of a request, of which nothing but the next chunk is in memory.
pub trait Source {
    /// The next chunk, or `None` at the end of the body. After a failure or the end, nothing more is read.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, SourceFailure>>;
}

/// Why a body cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SourceFailure {
    /// It has more bytes than the limit.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The connection of the client was closed before the end of the body.
    #[error("the body was cut off")]
    Interrupted,
    /// The body is in the bundle store, which failed.
    #[error("the bundle store failed")]
    Store,
}

impl SourceFailure {
    /// The error for the client.
    #[must_use]
    pub fn problem(self) -> Problem {
        match self {
            Self::TooLarge { limit } => too_large(
                &format!(
                    "The body of the request has more than {}, which is the limit.",
                    shown(limit)
                ),
                "Leave out what the Worker does not need, its source maps first, or split it into several Workers.",
            ),
            Self::Interrupted => malformed("the connection was closed before the end of the body"),
            Self::Store => Problem::new(
                Code::BundleStoreUnavailable,
                "The bundle store failed, so nothing was deployed.",
                "Try again in a moment.",
            )
            .retry_after(5),
        }
    }
}

/// A number of bytes in the largest unit of which it is a multiple.
fn shown(bytes: u64) -> String {
    [(1 << 20, "MiB"), (1 << 10, "KiB"), (1_000_000, "MB")]
        .into_iter()
        .find(|(unit, _)| bytes.is_multiple_of(*unit))
        .map_or_else(
            || format!("{bytes} bytes"),
            |(unit, name)| format!("{} {name}", bytes / unit),
        )
}

/// A body with a limit. Reading stops with the chunk that exceeds it.
pub struct Limited<S: Source> {
    source: S,
    limit: u64,
    received: u64,
}

impl<S: Source> Limited<S> {
    /// Limits a body to so many bytes.
    pub const fn new(source: S, limit: u64) -> Self {
        Self {
            source,
            limit,
            received: 0,
        }
    }
}

impl<S: Source> Source for Limited<S> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        if self.received > self.limit {
            return Err(SourceFailure::TooLarge { limit: self.limit });
        }
        let chunk = self.source.next().await?;
        if let Some(chunk) = &chunk {
            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            self.received = self.received.saturating_add(length);
        }
        if self.received > self.limit {
            return Err(SourceFailure::TooLarge { limit: self.limit });
        }
        Ok(chunk)
    }
}

/// Chunks that are in memory already.
impl<I: Iterator<Item = Bytes>> Source for I {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        Ok(Iterator::next(self))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_executor::block_on;

    use super::*;

    #[test]
    fn reading_stops_with_the_chunk_that_exceeds_the_limit() {
        let read = Cell::new(0);
        let chunks = (0..10).map(|_| {
            read.set(read.get() + 1);
            Bytes::from_static(b"1234")
        });
        let mut limited = Limited::new(chunks, 10);
        let too_large = Err(SourceFailure::TooLarge { limit: 10 });
        block_on(async {
            assert!(limited.next().await.is_ok());
            assert!(limited.next().await.is_ok());
            assert_eq!(limited.next().await, too_large);
            assert_eq!(limited.next().await, too_large);
        });
        assert_eq!(read.get(), 3);
    }

    #[test]
    fn a_body_of_exactly_the_limit_is_read() {
        let mut limited = Limited::new([Bytes::from_static(b"1234")].into_iter(), 4);
        block_on(async {
            assert!(limited.next().await.unwrap().is_some());
            assert_eq!(limited.next().await, Ok(None));
        });
    }
}
