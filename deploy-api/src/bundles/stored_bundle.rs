//! Reads stored bundles of both formats without holding their contents in memory.

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::head::{self, LENGTH_DIGITS};
use super::{
    AssetManifest, BrokenBundle, ByteRange, Digest, ObjectStore, PART, Staged, StoreFailure, StoredPart,
};

/// The bytes that are read first: enough for the head of most bundles.
const FIRST_READ: u64 = 64 * 1024;

/// The most bytes of a head: 1 MiB of metadata and 3,000 parts with 256 KiB of names, with room for JSON escapes.
const MAX_HEAD: u64 = 8 * 1024 * 1024;

/// The largest bundle of format 1 whose digest is verified when it is opened, in bytes.
const MAX_WHOLE: u64 = 8 * 1024 * 1024;

/// A stored bundle whose head was read and verified. The contents stay in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBundle {
    /// The key of the object.
    pub key: String,
    /// The digest of the bundle.
    pub digest: Digest,
    /// The number of bytes of the object.
    pub size: u64,
    /// The metadata without secrets.
    pub metadata: Map<String, Value>,
    /// The static assets; `None` if there are none.
    pub assets: Option<StoredAssets>,
    /// The modules and source maps, with offsets into the object.
    pub parts: Vec<StoredPart>,
    format: Format,
}

/// What a bundle says about its static assets.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredAssets {
    /// The manifest itself (format 1).
    Manifest(AssetManifest),
    /// A reference to the manifest, as in [`BundleHead::assets`](super::BundleHead::assets) (format 2).
    Reference(Value),
}

/// A bundle cannot be opened or verified.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenFailure {
    /// There is no object of that key.
    #[error("the bundle is not stored")]
    Missing,
    /// The stored bytes are damaged.
    #[error(transparent)]
    Broken(#[from] BrokenBundle),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// One line of JSON, then the parts' bytes. The digest is that of all bytes.
    One,
    /// The parts' bytes, the head, the length of the head. The digest is that of the head.
    Two,
}

/// The head as it is stored. The type of `assets` depends on the format.
#[derive(Deserialize)]
struct Head {
    format: u32,
    metadata: Map<String, Value>,
    #[serde(default)]
    assets: Option<Value>,
    parts: Vec<StoredPart>,
}

/// Opens a bundle. Format 1 is recognized by its key, `sha256/{digest}`. Without a `size` the store is asked for it.
///
/// The digest is verified, except for bundles of format 1 with more than 8 MiB: those, and the parts' bytes of format 2, are
/// verified by [`StoredBundle::verify_parts`].
///
/// # Errors
/// If there is no such object, if it is damaged, or if the store fails.
pub async fn open<S: ObjectStore>(
    store: &S,
    key: &str,
    digest: &Digest,
    size: Option<u64>,
) -> Result<StoredBundle, OpenFailure> {
    let size = match size {
        Some(size) => size,
        None => store.head(key).await?.ok_or(OpenFailure::Missing)?.size,
    };
    if key.strip_prefix("sha256/").is_some() {
        open_first_format(store, key, digest, size).await
    } else {
        open_second_format(store, key, digest, size).await
    }
}

async fn open_second_format<S: ObjectStore>(
    store: &S,
    key: &str,
    digest: &Digest,
    size: u64,
) -> Result<StoredBundle, OpenFailure> {
    let read = size.min(FIRST_READ);
    let mut end = range(store, key, size - read, read).await?;
    let digits = end.len().checked_sub(16).ok_or(BrokenBundle::Form)?;
    let length = std::str::from_utf8(end.get(digits..).unwrap_or_default())
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|text| u64::from_str_radix(text, 16).ok())
        .filter(|length| *length <= MAX_HEAD)
        .ok_or(BrokenBundle::Form)?;
    let contents = size
        .checked_sub(LENGTH_DIGITS)
        .and_then(|before| before.checked_sub(length))
        .ok_or(BrokenBundle::Form)?;
    end.truncate(digits);
    let bytes = match end
        .len()
        .checked_sub(usize::try_from(length).unwrap_or(usize::MAX))
    {
        Some(start) => end.split_off(start),
        None => range(store, key, contents, length).await?,
    };
    if Digest::of(&bytes) != *digest {
        return Err(BrokenBundle::Digest.into());
    }
    let (metadata, assets, mut parts) = parse(&bytes, head::FORMAT)?;
    place(&mut parts, 0, contents)?;
    Ok(StoredBundle {
        key: key.to_owned(),
        digest: digest.clone(),
        size,
        metadata,
        assets: assets.map(StoredAssets::Reference),
        parts,
        format: Format::Two,
    })
}

async fn open_first_format<S: ObjectStore>(
    store: &S,
    key: &str,
    digest: &Digest,
    size: u64,
) -> Result<StoredBundle, OpenFailure> {
    let is_whole = size <= MAX_WHOLE;
    let mut read = if is_whole { size } else { FIRST_READ };
    let (bytes, end) = loop {
        let bytes = range(store, key, 0, read.min(size)).await?;
        if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            break (bytes, end);
        }
        if read >= size.min(MAX_HEAD) {
            return Err(BrokenBundle::Form.into());
        }
        read = (read * 8).min(MAX_HEAD);
    };
    if is_whole && Digest::of(&bytes) != *digest {
        return Err(BrokenBundle::Digest.into());
    }
    let (metadata, assets, mut parts) = parse(bytes.get(..end).unwrap_or_default(), 1)?;
    place(&mut parts, u64::try_from(end + 1).unwrap_or(u64::MAX), size)?;
    let assets = assets
        .map(serde_json::from_value)
        .transpose()
        .map_err(|_| BrokenBundle::Form)?;
    Ok(StoredBundle {
        key: key.to_owned(),
        digest: digest.clone(),
        size,
        metadata,
        assets: assets.map(StoredAssets::Manifest),
        parts,
        format: Format::One,
    })
}

impl StoredBundle {
    /// The object that the parts' offsets refer to.
    #[must_use]
    pub fn contents(&self) -> Staged {
        Staged::Object {
            key: self.key.clone(),
            length: self.size,
        }
    }

    /// Reads the contents in pieces of at most 5 MiB and verifies them, so that damaged bytes are never deployed: against the
    /// digest of each part, or of the whole object for format 1.
    ///
    /// # Errors
    /// If a digest differs, if the object was deleted, or if the store fails.
    pub async fn verify_parts<S: ObjectStore>(&self, store: &S) -> Result<(), OpenFailure> {
        match self.format {
            Format::One => {
                let mut hasher = Sha256::new();
                let mut offset = 0;
                while offset < self.size {
                    let bytes = piece(store, &self.key, offset, self.size).await?;
                    hasher.update(&bytes);
                    offset = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                }
                if Digest::from(hasher) == self.digest {
                    Ok(())
                } else {
                    Err(BrokenBundle::Digest.into())
                }
            }
            Format::Two => self.verify_each(store).await,
        }
    }

    /// Verifies the digest of each part. Small parts share a read.
    async fn verify_each<S: ObjectStore>(&self, store: &S) -> Result<(), OpenFailure> {
        let end = self
            .parts
            .iter()
            .map(|part| part.size)
            .fold(0, u64::saturating_add);
        let mut bytes = Vec::new();
        let mut position = 0;
        let mut unread = 0;
        for part in &self.parts {
            let mut hasher = Sha256::new();
            let mut missing = part.size;
            while missing > 0 {
                if position == bytes.len() {
                    bytes = piece(store, &self.key, unread, end).await?;
                    position = 0;
                    unread = unread.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                }
                let available = bytes.get(position..).unwrap_or_default();
                let length = usize::try_from(missing)
                    .unwrap_or(usize::MAX)
                    .min(available.len());
                hasher.update(available.get(..length).unwrap_or_default());
                position += length;
                missing = missing.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
            }
            if Digest::from(hasher) != part.sha256 {
                return Err(BrokenBundle::Digest.into());
            }
        }
        Ok(())
    }
}

/// The next bytes of an object, at least one and at most [`PART`].
async fn piece<S: ObjectStore>(store: &S, key: &str, offset: u64, end: u64) -> Result<Vec<u8>, OpenFailure> {
    let length = end
        .saturating_sub(offset)
        .min(u64::try_from(PART).unwrap_or(u64::MAX));
    range(store, key, offset, length).await
}

/// Exactly so many bytes of an object. No bytes are an error, because the loops above rely on progress.
async fn range<S: ObjectStore>(
    store: &S,
    key: &str,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, OpenFailure> {
    if length == 0 {
        return Err(BrokenBundle::Form.into());
    }
    let bytes = store
        .get(key, Some(ByteRange { offset, length }))
        .await?
        .ok_or(OpenFailure::Missing)?;
    if u64::try_from(bytes.len()) == Ok(length) {
        Ok(bytes)
    } else {
        Err(BrokenBundle::Form.into())
    }
}

type Parsed = (Map<String, Value>, Option<Value>, Vec<StoredPart>);

fn parse(bytes: &[u8], format: u32) -> Result<Parsed, BrokenBundle> {
    let head: Head = serde_json::from_slice(bytes).map_err(|_| BrokenBundle::Form)?;
    if head.format != format {
        return Err(BrokenBundle::Form);
    }
    Ok((head.metadata, head.assets, head.parts))
}

/// Sets the offsets of the parts, which must fill the bytes between `start` and `end`.
fn place(parts: &mut [StoredPart], start: u64, end: u64) -> Result<(), BrokenBundle> {
    let mut offset = start;
    for part in parts {
        part.offset = offset;
        offset = offset.checked_add(part.size).ok_or(BrokenBundle::Form)?;
    }
    if offset == end {
        Ok(())
    } else {
        Err(BrokenBundle::Form)
    }
}
