use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::schema::text_schema;

/// The length of a [`TokenId`], in bytes.
const ID: usize = 8;

/// The SHA-256 of a token. Only the hash is stored. Comparison takes constant time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; 32]);

/// The text is not a [`TokenHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a token's hash is 64 hexadecimal digits in lower case")]
pub struct InvalidTokenHash;

impl TokenHash {
    /// Hashes the text of a token.
    pub(super) fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The hash as 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// The id of the token with this hash. The requests of a leaked token can be found by its id.
    #[must_use]
    pub fn id(&self) -> TokenId {
        TokenId(HEXLOWER.encode(self.0.get(..ID).unwrap_or_default()))
    }
}

impl TryFrom<String> for TokenHash {
    type Error = InvalidTokenHash;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidTokenHash)
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        hash.to_hex()
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({}…)", self.id())
    }
}

/// The public id of a token: the first 16 hexadecimal digits of its SHA-256. It is not a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

text_schema!(
    TokenId,
    "TokenId",
    "The id of a token: the first 16 hexadecimal digits of its SHA-256. It is not a credential.",
    "^[0-9a-f]{16}$"
);

/// The string is not a valid [`TokenId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a token id has 16 lowercase hexadecimal digits; see `GET /v1/tokens`")]
pub struct InvalidTokenId;

impl TokenId {
    /// Parses an id.
    ///
    /// # Errors
    /// If the string is not 16 lowercase hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, InvalidTokenId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 2 * ID && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidTokenId)
        }
    }

    /// The id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TokenId {
    type Error = InvalidTokenId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_sixteen_lowercase_hexadecimal_digits() {
        assert!(TokenId::parse("0123456789abcdef").is_ok());
        for bad in [
            "",
            "0123456789abcde",
            "0123456789ABCDEF",
            "0123456789abcdeg",
            "self",
        ] {
            assert!(TokenId::parse(bad).is_err(), "{bad}");
        }
    }
}
