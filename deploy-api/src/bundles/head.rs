//! The head of a bundle of format 2, and the trailer that it is stored in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::Digest;

/// The version of the format that is written.
pub(super) const FORMAT: u32 = 2;

/// The bytes after the head: its length in bytes as 16 hexadecimal digits.
pub(super) const LENGTH_DIGITS: u64 = 16;

/// The stored bytes are not a bundle, or not the requested one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BrokenBundle {
    /// Their digest differs.
    #[error("the stored bytes have a different digest")]
    Digest,
    /// The head cannot be read, or the parts do not fill the object.
    #[error("the stored bytes are not a bundle")]
    Form,
}

/// A part of an upload whose bytes are in the store, or in a buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPart {
    /// The part's name, by which other modules import it.
    pub name: String,
    /// The part's file name; wrangler sends the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The part's content type, which tells the kind of the module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 of the bytes.
    pub sha256: Digest,
    /// The position of the first byte in the object or buffer. It is not part of the head, which has the parts in order.
    #[serde(skip)]
    pub offset: u64,
}

/// Everything that is needed to deploy an upload again, except for the parts' bytes and the secrets.
///
/// Secrets are removed instead of encrypted: a redeploy keeps the secrets that are set (`keep_bindings`), so a rollback
/// never restores a rotated secret, and a leaked bundle contains none.
///
/// A bundle of format 2 is the parts' bytes, the head as JSON, and the length of the head (16 hexadecimal digits). The head
/// is last because it is known last, so that an upload can be stored while it is received. The digest of a bundle is the
/// SHA-256 of the head, which contains the digest of each part: equal uploads have equal digests, wherever they are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct BundleHead {
    /// The metadata without secrets.
    pub metadata: Map<String, Value>,
    /// Where the static assets are described; `None` if there are none.
    pub assets: Option<Value>,
    /// The modules and source maps, in the order of the upload.
    pub parts: Vec<StoredPart>,
}

impl BundleHead {
    /// The JSON that is stored. Equal heads have equal JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut head = json!({ "format": FORMAT, "metadata": self.metadata, "parts": self.parts });
        if let (Some(assets), Value::Object(members)) = (&self.assets, &mut head) {
            members.insert("assets".to_owned(), assets.clone());
        }
        head.to_string()
    }

    /// The digest of the bundle.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().as_bytes())
    }

    /// The bytes that follow the parts' bytes.
    #[must_use]
    pub fn to_trailer(&self) -> Vec<u8> {
        let json = self.to_json();
        format!("{json}{:016x}", json.len()).into_bytes()
    }
}

/// The key of the object of a bundle of at most [`MAX_BUFFERED`](super::MAX_BUFFERED) bytes.
#[must_use]
pub fn bundle_key(digest: &Digest) -> String {
    format!("bundles/{digest}")
}

/// The key of the metadata of a redeploy that differs from the bundle's.
#[must_use]
pub fn metadata_key(digest: &Digest) -> String {
    format!("metadata/{digest}")
}

/// The key of the object of a larger bundle, which is written before its digest is known. It contains the attempt's id, so
/// that no other attempt writes it.
#[must_use]
pub fn staging_key(attempt: &str) -> String {
    format!("staging/{attempt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(offset: u64) -> StoredPart {
        StoredPart {
            name: "index.js".to_owned(),
            file_name: Some("index.js".to_owned()),
            content_type: Some("application/javascript+module".to_owned()),
            size: 3,
            sha256: Digest::of(b"abc"),
            offset,
        }
    }

    fn head(offset: u64) -> BundleHead {
        let metadata = json!({ "main_module": "index.js", "compatibility_date": "2026-01-01" });
        BundleHead {
            metadata: metadata.as_object().cloned().unwrap(),
            assets: Some(json!({ "manifest": "m" })),
            parts: vec![part(offset)],
        }
    }

    #[test]
    fn the_digest_does_not_depend_on_the_position_of_the_bytes() {
        assert_eq!(head(0).digest(), head(9).digest());
        let mut other = head(0);
        other.parts[0].sha256 = Digest::of(b"abd");
        assert_ne!(other.digest(), head(0).digest());
    }

    #[test]
    fn the_trailer_ends_with_the_length_of_the_head() {
        let head = head(0);
        let trailer = String::from_utf8(head.to_trailer()).unwrap();
        let (json, length) = trailer.split_at(trailer.len() - 16);
        assert_eq!(json, head.to_json());
        assert_eq!(usize::from_str_radix(length, 16), Ok(json.len()));
    }
}
