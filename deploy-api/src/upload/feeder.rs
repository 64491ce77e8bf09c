//! Gives a body to `multer`, one piece at a time.
//!
//! `multer` reads from its stream until the stream has nothing ready, so a body that is given to it directly would be in memory
//! completely. The stream must also be `Send`, which the bodies of the runtime are not.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use super::{Source, SourceFailure};

/// The maximum size of a piece in bytes. `multer` copies it.
const PIECE: usize = 64 * 1024;

/// A body and the stream into which its pieces are put.
pub struct Feeder<S: Source> {
    source: S,
    /// The rest of the chunk that was received last.
    rest: Bytes,
    feed: Feed,
    is_ended: bool,
}

impl<S: Source> Feeder<S> {
    /// A feeder of a body.
    pub fn new(source: S) -> Self {
        Self {
            source,
            rest: Bytes::new(),
            feed: Feed::default(),
            is_ended: false,
        }
    }

    /// The stream for `multer`. The caller must poll `multer` again after each [`Feeder::fill`]: the stream does not wake.
    pub fn stream(&self) -> Feed {
        self.feed.clone()
    }

    /// Puts the next piece into the stream, and returns its length. Puts the end into it and returns `None` if the body has
    /// ended.
    ///
    /// # Errors
    /// If the body is too large or interrupted.
    pub async fn fill(&mut self) -> Result<Option<usize>, SourceFailure> {
        while self.rest.is_empty() {
            let Some(chunk) = self.source.next().await? else {
                self.is_ended = true;
                self.feed.set(Next::End);
                return Ok(None);
            };
            self.rest = chunk;
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        let length = piece.len();
        self.feed.set(Next::Piece(piece));
        Ok(Some(length))
    }

    /// The first bytes of the body, at least `length` of them unless the body is shorter. They stay in the body.
    ///
    /// # Errors
    /// If the body is too large or interrupted.
    pub async fn peek(&mut self, length: usize) -> Result<Bytes, SourceFailure> {
        while self.rest.len() < length {
            let Some(chunk) = self.source.next().await? else {
                break;
            };
            let mut joined = BytesMut::from(&*self.rest);
            joined.extend_from_slice(&chunk);
            self.rest = joined.freeze();
        }
        Ok(self.rest.clone())
    }

    /// Whether the end was put into the stream.
    pub const fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Reads what follows the form, which is ignored: a client sends its whole body before it reads the response.
    ///
    /// # Errors
    /// If the body is too large or interrupted.
    pub async fn drain(&mut self) -> Result<(), SourceFailure> {
        while !self.is_ended {
            self.is_ended = self.source.next().await?.is_none();
        }
        Ok(())
    }
}

/// The stream that `multer` reads: at most one piece at a time.
#[derive(Clone, Default)]
pub struct Feed(Arc<Mutex<Next>>);

#[derive(Default)]
enum Next {
    /// Nothing until more is put into it.
    #[default]
    Nothing,
    /// A piece of the body.
    Piece(Bytes),
    /// The end of the body.
    End,
}

impl Feed {
    fn set(&self, next: Next) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

impl Stream for Feed {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *next) {
            Next::Nothing => Poll::Pending,
            Next::Piece(piece) => Poll::Ready(Some(Ok(piece))),
            Next::End => {
                *next = Next::End;
                Poll::Ready(None)
            }
        }
    }
}
