//! Uploads stored static assets again, for a rollback or a promotion.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use thiserror::Error;

use super::bucket_failure::MAX_FILE;
use super::form::{AFTER, CLOSING, length, part_head};
use super::{AssetHash, Location, Manifest, NO_CONTENT_TYPE};
use crate::bundles::{ObjectStore, StoreFailure};
use crate::code::Code;
use crate::problem::Problem;
use crate::upstream::{Piece, UpstreamBody};

/// The number of objects that are checked at once: as many as a Worker has connections.
const CONCURRENCY: usize = 6;

/// Builds the uploads for the buckets that the Cloudflare API asks for. The contents stay in the bundle store.
#[derive(Debug)]
pub struct Redeployment<'a, S> {
    store: &'a S,
    manifest: &'a Manifest,
    /// The sizes of the objects that were checked; `None` if there is no such object.
    sizes: BTreeMap<Arc<str>, Option<u64>>,
}

/// Static assets cannot be uploaded again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedeployFailure {
    /// The content never passed through the deploy API.
    #[error("the static asset {hash} never passed through this API, and the upstream does not have it")]
    NeverStored {
        /// The hash, as the upstream sent it.
        hash: String,
    },
    /// The content is not in the store any more.
    #[error("the static asset {hash} is not in the bundle store any more, and the upstream does not have it")]
    Gone {
        /// The hash.
        hash: AssetHash,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<RedeployFailure> for Problem {
    fn from(failure: RedeployFailure) -> Self {
        if let RedeployFailure::Store(failure) = failure {
            return super::store_problem(&failure);
        }
        // The sentences begin with "the".
        let detail = format!("T{}.", failure.to_string().get(1..).unwrap_or_default());
        Self::new(
            Code::BundleMissing,
            detail,
            "Deploy the version from its sources again.",
        )
    }
}

impl<'a, S: ObjectStore> Redeployment<'a, S> {
    /// Uploads for the files of this manifest.
    #[must_use]
    pub const fn new(store: &'a S, manifest: &'a Manifest) -> Self {
        Self {
            store,
            manifest,
            sizes: BTreeMap::new(),
        }
    }

    /// The body of the upload of one bucket. Its content type is [`ASSET_FORM_TYPE`](super::ASSET_FORM_TYPE).
    ///
    /// Files that are next to each other in the store become one piece. A bucket with the same files as an earlier upload is
    /// read with one request to the store.
    ///
    /// # Errors
    /// If a file is not stored, or the store fails.
    pub async fn body(&mut self, hashes: &[String]) -> Result<UpstreamBody, RedeployFailure> {
        let mut located = BTreeMap::new();
        for text in hashes {
            let (hash, location) = AssetHash::parse(text)
                .ok()
                .and_then(|hash| Some((hash, self.manifest.location(&hash)?)))
                .ok_or_else(|| RedeployFailure::NeverStored {
                    hash: text.chars().filter(char::is_ascii_graphic).take(32).collect(),
                })?;
            located.insert(hash, location);
        }
        self.check_objects(located.values().map(|location| location.key()).collect())
            .await?;
        let mut form = Form::default();
        let mut ranges = BTreeMap::new();
        for (hash, location) in located {
            let size = self.sizes.get(&location.key()).copied().flatten();
            let range = size.and_then(|size| stored_range(&hash, location, size));
            match range.ok_or(RedeployFailure::Gone { hash })? {
                Stored::Part { key, start, end } => {
                    ranges.insert((key, start), end);
                }
                Stored::Whole { key, size } => {
                    let content_type = location.content_type().unwrap_or(NO_CONTENT_TYPE);
                    form.text(&part_head(&hash, Some(content_type)));
                    form.piece(Piece::Base64 {
                        key: key.to_string(),
                        length: size,
                    });
                    form.text(AFTER);
                }
            }
        }
        form.ranges(ranges);
        form.text(CLOSING);
        Ok(form.finish())
    }

    async fn check_objects(&mut self, keys: BTreeSet<Arc<str>>) -> Result<(), StoreFailure> {
        let store = self.store;
        let unknown: Vec<_> = keys
            .into_iter()
            .filter(|key| !self.sizes.contains_key(key))
            .collect();
        let mut heads = stream::iter(unknown)
            .map(|key| async move {
                let head = store.head(&key).await?;
                Ok::<_, StoreFailure>((key, head.map(|head| head.size)))
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((key, size)) = heads.try_next().await? {
            self.sizes.insert(key, size);
        }
        Ok(())
    }
}

/// Where a file is in an object that exists.
enum Stored {
    /// The whole part of a form, head included.
    Part { key: Arc<str>, start: u64, end: u64 },
    /// An object with the content itself.
    Whole { key: Arc<str>, size: u64 },
}

/// Where a file is in an object of this size; `None` if it cannot be there.
fn stored_range(hash: &AssetHash, location: &Location, object_size: u64) -> Option<Stored> {
    let key = location.key();
    match location {
        Location::Bucket {
            offset,
            length: text,
            content_type,
            ..
        } => {
            let head = part_head(hash, content_type.as_deref());
            let start = offset.checked_sub(length(head.as_bytes()))?;
            let end = offset.checked_add(*text)?.checked_add(length(AFTER.as_bytes()))?;
            (end <= object_size).then_some(Stored::Part { key, start, end })
        }
        Location::Legacy { .. } => (object_size <= MAX_FILE).then_some(Stored::Whole {
            key,
            size: object_size,
        }),
    }
}

/// A form in pieces. Texts that follow each other are one piece, and all texts share one allocation.
#[derive(Default)]
struct Form {
    texts: Vec<u8>,
    /// The pieces, each with the end of the text before it.
    pieces: Vec<(usize, Piece)>,
}

impl Form {
    fn text(&mut self, text: &str) {
        self.texts.extend_from_slice(text.as_bytes());
    }

    fn piece(&mut self, piece: Piece) {
        self.pieces.push((self.texts.len(), piece));
    }

    /// Adds ranges of objects, with the end of each range by key and start.
    fn ranges(&mut self, ranges: BTreeMap<(Arc<str>, u64), u64>) {
        let mut joined: Vec<(Arc<str>, u64, u64)> = Vec::new();
        for ((key, start), end) in ranges {
            match joined.last_mut() {
                Some((last, _, last_end)) if *last == key && *last_end == start => *last_end = end,
                _ => joined.push((key, start, end)),
            }
        }
        for (key, start, end) in joined {
            self.piece(Piece::Stored {
                key: key.to_string(),
                offset: start,
                length: end.saturating_sub(start),
            });
        }
    }

    fn finish(self) -> UpstreamBody {
        let mut texts = Bytes::from(self.texts);
        let mut taken = 0;
        let mut pieces = Vec::new();
        for (end, piece) in self.pieces {
            let text = texts.split_to(end - taken);
            taken = end;
            if !text.is_empty() {
                pieces.push(Piece::Bytes(text));
            }
            pieces.push(piece);
        }
        if !texts.is_empty() {
            pieces.push(Piece::Bytes(texts));
        }
        UpstreamBody::new(pieces)
    }
}
