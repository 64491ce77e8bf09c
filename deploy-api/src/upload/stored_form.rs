//! A stored bundle as the form of an upload, so that it is deployed with the limits and the checks of a client's upload.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Metadata, Source, SourceFailure, script_pieces};
use crate::bundles::{BrokenBundle, ByteRange, ObjectStore, StoredBundle};
use crate::upstream::Piece;

/// How many bytes are read from the store at once.
const CHUNK: u64 = 1024 * 1024;

/// The body of an upload whose parts are in the bundle store.
pub(crate) struct StoredForm<'s, S: ObjectStore> {
    store: &'s S,
    pieces: VecDeque<Piece>,
}

impl<'s, S: ObjectStore> StoredForm<'s, S> {
    /// The form of a bundle, with its content type. `boundary` are random bytes.
    ///
    /// # Errors
    /// If a part is not within the bundle.
    pub fn of(
        store: &'s S,
        bundle: &StoredBundle,
        boundary: [u8; 16],
    ) -> Result<(String, Self), BrokenBundle> {
        let metadata = Metadata::of_kept(bundle.metadata.clone());
        let (content_type, body) = script_pieces(&metadata, &bundle.parts, &bundle.contents(), boundary)?;
        let pieces = body.pieces().iter().cloned().collect();
        Ok((content_type, Self { store, pieces }))
    }
}

impl<S: ObjectStore> Source for StoredForm<'_, S> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        match self.pieces.pop_front() {
            None => Ok(None),
            Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Piece::Stored { key, offset, length }) => {
                let part = length.min(CHUNK);
                let range = ByteRange { offset, length: part };
                let read = self.store.get(&key, Some(range)).await;
                let bytes = read.ok().flatten().ok_or(SourceFailure::Store)?;
                if length > part {
                    self.pieces.push_front(Piece::Stored {
                        key,
                        offset: offset.saturating_add(part),
                        length: length - part,
                    });
                }
                Ok(Some(Bytes::from(bytes)))
            }
            // Only the pieces of static assets are encoded.
            Some(Piece::Base64 { .. } | Piece::FromBase64 { .. }) => Err(SourceFailure::Store),
        }
    }
}
