//! The names of static assets, of upload sessions, and of their objects in the bundle store.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The hash by which wrangler and the Cloudflare API identify a static asset: 32 hexadecimal digits. The client computes
/// it, so it proves nothing about the content. The case of the digits is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssetHash([u8; 32]);

/// The text is not an [`AssetHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the hash of a static asset is 32 hexadecimal digits")]
pub struct InvalidAssetHash;

impl AssetHash {
    /// Reads a hash.
    ///
    /// # Errors
    /// If the text is not 32 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, InvalidAssetHash> {
        let digits = <[u8; 32]>::try_from(text.as_bytes()).map_err(|_| InvalidAssetHash)?;
        if digits.iter().all(u8::is_ascii_hexdigit) {
            Ok(Self(digits))
        } else {
            Err(InvalidAssetHash)
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The digits are ASCII, so this never fails.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for AssetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AssetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetHash({self})")
    }
}

impl Serialize for AssetHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AssetHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The id of an upload session: 32 hexadecimal digits in lower case. It is part of the keys of the session's objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

/// The text is not a [`SessionId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the id of an upload session is 32 hexadecimal digits in lower case")]
pub struct InvalidSessionId;

impl SessionId {
    /// The id of these bytes, which are random or a UUID.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(HEXLOWER.encode(&bytes))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not 32 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Result<Self, InvalidSessionId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSessionId)
        }
    }

    /// The prefix of the keys of the session's buckets: `assets/{session}/`.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("assets/{}/", self.0)
    }

    /// The key of one bucket: `assets/{session}/{32 hexadecimal digits}`. `bucket` is random or a UUID.
    #[must_use]
    pub fn bucket_key(&self, bucket: [u8; 16]) -> String {
        format!("assets/{}/{}", self.0, HEXLOWER.encode(&bucket))
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_32_hexadecimal_digits_and_keeps_its_case() {
        let text = "00112233445566778899aAbBcCdDeEfF";
        assert_eq!(AssetHash::parse(text).unwrap().as_str(), text);
        assert_eq!(
            serde_json::from_str::<AssetHash>(&format!("{text:?}")).unwrap(),
            AssetHash::parse(text).unwrap()
        );
        for bad in [
            "",
            "0",
            &text.replace('0', "g"),
            &format!("{text}0"),
            "ü0112233445566778899aabbccddeef",
        ] {
            assert_eq!(AssetHash::parse(bad), Err(InvalidAssetHash), "{bad}");
        }
    }

    #[test]
    fn the_key_of_a_bucket_begins_with_the_prefix_of_its_session() {
        let session = SessionId::from_bytes([7; 16]);
        let key = session.bucket_key([9; 16]);
        assert!(key.starts_with(&session.prefix()));
        assert_eq!(key.len(), session.prefix().len() + 32);
    }
}
