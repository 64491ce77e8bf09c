//! Finds one file in the stored manifest of a session, without reading the whole manifest into memory.

use memchr::memmem;

use super::form::length;
use super::manifest::ManifestFile;
use super::{AssetHash, manifest_key};
use crate::bundles::{ByteRange, Digest, ObjectStore, StoreFailure};

/// The number of bytes of a manifest that [`find_file`] reads at a time: the whole manifest of about 2,000 files.
pub const SEARCHED_PART: u64 = 256 * 1024;

/// The most bytes of a file in the manifest, from the `"` before its hash to the `}` after its size.
const MAX_ENTRY: usize = 96;

/// The file with this hash in the stored manifest of a session; `None` if the manifest does not have it, or is not stored. At
/// most two times [`SEARCHED_PART`] bytes are in memory.
///
/// # Errors
/// If the store fails.
pub async fn find_file<S: ObjectStore>(
    store: &S,
    manifest: &Digest,
    hash: &AssetHash,
) -> Result<Option<ManifestFile>, StoreFailure> {
    let key = manifest_key(manifest);
    let Some(head) = store.head(&key).await? else {
        return Ok(None);
    };
    let mut text = Vec::new();
    let mut offset = 0;
    while offset < head.size {
        let part = ByteRange {
            offset,
            length: SEARCHED_PART.min(head.size - offset),
        };
        let Some(bytes) = store.get(&key, Some(part)).await? else {
            return Ok(None);
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        offset = offset.saturating_add(length(&bytes));
        text.extend_from_slice(&bytes);
        if let Some(size) = size_of(&text, hash) {
            return Ok(Some(ManifestFile { hash: *hash, size }));
        }
        // An entry can begin in this part and end in the next one.
        text.drain(..text.len().saturating_sub(MAX_ENTRY));
    }
    Ok(None)
}

/// The size of a file in a part of a manifest; `None` if the part does not contain its whole entry.
///
/// The searched text has quotes without a backslash, so it never occurs in a path.
fn size_of(text: &[u8], hash: &AssetHash) -> Option<u64> {
    let entry = format!("\"hash\":\"{hash}\",\"size\":");
    let start = memmem::find(text, entry.as_bytes())?;
    let rest = text.get(start.checked_add(entry.len())?..)?;
    let end = rest.iter().position(|byte| *byte == b'}')?;
    std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_file_is_read_only_from_its_own_whole_entry() {
        let hash = AssetHash::parse("00112233445566778899aabbccddeeff").unwrap();
        let entry = format!("\"hash\":\"{hash}\",\"size\":12}}");
        assert_eq!(size_of(format!("{{\"/a\":{{{entry}").as_bytes(), &hash), Some(12));
        for end in 0..entry.len() {
            assert_eq!(size_of(&entry.as_bytes()[..end], &hash), None, "{end}");
        }
        let path = serde_json::to_string(&format!("/{entry}")).unwrap();
        assert_eq!(size_of(path.as_bytes(), &hash), None);
    }
}
