//! Keeps the permit of a request while its body arrives.

use bytes::Bytes;

use super::{Permit, Source, SourceFailure};
use crate::runtime::Runtime;

/// A body that renews the permit of its request with each chunk, so that a slow body does not lose its memory.
pub struct Renewing<'a, S: Source, R: Runtime> {
    source: S,
    permit: &'a Permit,
    runtime: &'a R,
}

impl<'a, S: Source, R: Runtime> Renewing<'a, S, R> {
    /// Adds the renewal of a permit to a body.
    pub const fn new(source: S, permit: &'a Permit, runtime: &'a R) -> Self {
        Self {
            source,
            permit,
            runtime,
        }
    }
}

impl<S: Source, R: Runtime> Source for Renewing<'_, S, R> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        let chunk = self.source.next().await;
        self.permit.renew(self.runtime.now());
        chunk
    }
}
