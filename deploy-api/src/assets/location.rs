//! Where the content of a static asset is stored.

use std::fmt;
use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::bundles::Digest;

/// The content type with which wrangler says that an asset is served without a content type.
pub const NO_CONTENT_TYPE: &str = "application/null";

/// Where the content of a static asset is stored, and its content type. Keys and content types are shared, because a manifest
/// has up to 100,000 locations in a few objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A range of the object of one uploaded bucket. The content is in base64, as the client uploaded it.
    Bucket {
        /// The object's key.
        key: Arc<str>,
        /// The first byte.
        offset: u64,
        /// The number of bytes of the base64 text.
        length: u64,
        /// The digest of the base64 text.
        sha256: ContentDigest,
        /// The content type that it is served with.
        content_type: Option<Arc<str>>,
    },
    /// A whole object `sha256/{digest}` with the content itself, which an earlier version of the deploy API stored. Its size
    /// is the size of the object: earlier versions recorded only the size that the client stated.
    Legacy {
        /// The digest of the content.
        sha256: ContentDigest,
        /// The content type that it is served with.
        content_type: Option<Arc<str>>,
    },
}

impl Location {
    /// The key of the object.
    #[must_use]
    pub fn key(&self) -> Arc<str> {
        match self {
            Self::Bucket { key, .. } => Arc::clone(key),
            Self::Legacy { sha256, .. } => format!("sha256/{}", sha256.to_hex()).into(),
        }
    }

    /// The content type that the asset is served with.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        match self {
            Self::Bucket { content_type, .. } | Self::Legacy { content_type, .. } => content_type.as_deref(),
        }
    }
}

/// The SHA-256 of the content of an asset. In JSON it is 43 characters in base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of everything that was given to `hasher`.
    pub(super) fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The digest as 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl From<&Digest> for ContentDigest {
    fn from(digest: &Digest) -> Self {
        let mut bytes = [0; 32];
        // A `Digest` is 64 hexadecimal digits in lower case, so this never fails.
        let _ = HEXLOWER.decode_mut(digest.as_str().as_bytes(), &mut bytes);
        Self(bytes)
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentDigest({})", self.to_hex())
    }
}

impl Serialize for ContentDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for ContentDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        if text.len() == 43 && BASE64URL_NOPAD.decode_mut(text.as_bytes(), &mut bytes).is_ok() {
            Ok(Self(bytes))
        } else {
            Err(serde::de::Error::custom("a digest is 43 characters in base64url"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_back_from_json_and_from_its_other_form() {
        let digest = ContentDigest::of(b"abc");
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<ContentDigest>(&json).unwrap(), digest);
        assert_eq!(ContentDigest::from(&Digest::of(b"abc")), digest);
        assert_eq!(digest.to_hex(), Digest::of(b"abc").to_string());
        for bad in ["", "ab", &digest.to_hex(), &format!("{}=", &json[1..44])] {
            assert!(
                serde_json::from_str::<ContentDigest>(&format!("{bad:?}")).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_key_of_a_legacy_asset_is_its_digest() {
        let location = Location::Legacy {
            sha256: ContentDigest::of(b"abc"),
            content_type: None,
        };
        assert_eq!(*location.key(), *format!("sha256/{}", Digest::of(b"abc")));
    }
}
