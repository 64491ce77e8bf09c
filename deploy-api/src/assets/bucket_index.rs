//! The object of one uploaded bucket: a form with the files, then an index of them.
//!
//! ```text
//! form:    head, base64 text, CRLF of each file; the closing boundary
//! index:   JSON, one entry per file
//! length:  the number of bytes of the JSON, in 16 hexadecimal digits
//! ```
//! The form is exactly what is sent to the Cloudflare API. The index is at the end, because its content is known only then.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::form::{AFTER, CLOSING, length, part_head};
use super::{AssetHash, ContentDigest};
use crate::bundles::{ByteRange, ObjectHead, ObjectStore, StoreFailure};
use crate::problem::Problem;

/// The number of digits of the index's length.
const DIGITS: u64 = 16;

/// The longest index, in bytes. An entry has at most 400 bytes.
const MAX_INDEX: u64 = 4 * 1024 * 1024;

/// The number of bytes at the end of an object that are read first: the whole index of about 300 files.
const FIRST_READ: u64 = 64 * 1024;

/// One file of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexEntry {
    /// Its hash.
    pub hash: AssetHash,
    /// Where its base64 text begins in the object.
    pub offset: u64,
    /// The number of bytes of its base64 text.
    pub size: u64,
    /// The digest of its base64 text.
    pub sha256: ContentDigest,
    /// Its content type, as the client sent it. It is printable ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The number of bytes of its content.
    pub decoded: u64,
}

/// The index of a bucket cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IndexFailure {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// The object is not a bucket.
    #[error("the object {key} is not a bucket of static assets")]
    Broken {
        /// Its key.
        key: String,
    },
}

impl From<IndexFailure> for Problem {
    fn from(failure: IndexFailure) -> Self {
        super::store_problem(&failure)
    }
}

/// The index of these files, and its length.
pub(super) fn write_index(entries: &[IndexEntry]) -> Result<Vec<u8>, serde_json::Error> {
    let mut index = serde_json::to_vec(entries)?;
    let digits = format!("{:016x}", index.len());
    index.extend_from_slice(digits.as_bytes());
    Ok(index)
}

/// Reads the index of a bucket, and checks that it describes a whole form. `None` if there is no such object any more.
pub(super) async fn read_index<S: ObjectStore>(
    store: &S,
    object: &ObjectHead,
) -> Result<Option<Vec<IndexEntry>>, IndexFailure> {
    let broken = || IndexFailure::Broken {
        key: object.key.clone(),
    };
    let end_of = |bytes: u64| ByteRange {
        offset: object.size.saturating_sub(bytes),
        length: bytes.min(object.size),
    };
    if object.size < DIGITS {
        return Err(broken());
    }
    let Some(mut end) = store.get(&object.key, Some(end_of(FIRST_READ))).await? else {
        return Ok(None);
    };
    let index = index_length(&end)
        .filter(|index| *index <= MAX_INDEX)
        .ok_or_else(broken)?;
    let needed = index.saturating_add(DIGITS);
    let form = object.size.checked_sub(needed).ok_or_else(broken)?;
    if needed > length(&end) {
        let Some(more) = store.get(&object.key, Some(end_of(needed))).await? else {
            return Ok(None);
        };
        end = more;
    }
    let entries = length(&end)
        .checked_sub(needed)
        .and_then(|start| {
            let start = usize::try_from(start).ok()?;
            let stop = end.len().checked_sub(usize::try_from(DIGITS).ok()?)?;
            end.get(start..stop)
        })
        .and_then(|json| serde_json::from_slice::<Vec<IndexEntry>>(json).ok())
        .filter(|entries| form_length(entries) == Some(form))
        .ok_or_else(broken)?;
    Ok(Some(entries))
}

fn index_length(end: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(end.last_chunk::<16>()?).ok()?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits
        .bytes()
        .all(is_digit)
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}

/// The number of bytes of a form with these files, one directly after the other; `None` if an entry has another place.
fn form_length(entries: &[IndexEntry]) -> Option<u64> {
    let mut end = 0_u64;
    for entry in entries {
        let head = part_head(&entry.hash, entry.content_type.as_deref());
        if entry.offset != end.checked_add(length(head.as_bytes()))? {
            return None;
        }
        end = entry
            .offset
            .checked_add(entry.size)?
            .checked_add(length(AFTER.as_bytes()))?;
    }
    end.checked_add(length(CLOSING.as_bytes()))
}
