use std::fmt;

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{TokenHash, TokenId};

/// The number of random bytes in a token.
pub const TOKEN_ENTROPY: usize = 20;

/// The length of the checksum, in bytes. The probability of not detecting a typo is 2^-32.
const CHECKSUM: usize = 4;

/// The kind of a token. The prefix of the token shows the kind to people and secret scanners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// `dotdo_run_…`: a short-lived token of a GitHub run.
    Deploy,
    /// `dotdo_api_…`: a token of a person or another CI system.
    Api,
}

impl TokenKind {
    const ALL: [Self; 2] = [Self::Deploy, Self::Api];

    /// The prefix of tokens of this kind.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Deploy => "dotdo_run_",
            Self::Api => "dotdo_api_",
        }
    }
}

/// A token of this API. It is opaque. Only its [`TokenHash`] is stored.
///
/// The format, for secret scanners, is `dotdo_(run|api)_[0-9a-f]{48}`: 20 random bytes in hexadecimal, followed by a
/// checksum, the first four bytes of the SHA-256 of the text before it. The checksum distinguishes a typo from a guess
/// without a lookup.
#[derive(Clone)]
pub struct Token {
    kind: TokenKind,
    text: SecretString,
}

/// Why a string is not a valid token. Does not contain any part of the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MalformedToken {
    /// The prefix is wrong.
    #[error("the token does not start with dotdo_run_ or dotdo_api_")]
    Prefix,
    /// The length is wrong, or a character is invalid.
    #[error("the token has the wrong length or invalid characters")]
    Form,
    /// The checksum is wrong.
    #[error("the token has a wrong checksum; it was mistyped or invented")]
    Checksum,
}

impl Token {
    /// Makes a token from random bytes of a cryptographic generator.
    #[must_use]
    pub fn mint(kind: TokenKind, entropy: [u8; TOKEN_ENTROPY]) -> Self {
        let body = format!("{}{}", kind.prefix(), HEXLOWER.encode(&entropy));
        let checksum = checksum(&body);
        Self {
            kind,
            text: SecretString::from(body + &checksum),
        }
    }

    /// Whether a string starts like a token of this API. The token may be malformed.
    #[must_use]
    pub fn looks_like_one(text: &str) -> bool {
        text.starts_with("dotdo_")
    }

    /// Parses a token.
    ///
    /// # Errors
    /// If the format or the checksum is wrong.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let (kind, digits) = TokenKind::ALL
            .into_iter()
            .find_map(|kind| text.strip_prefix(kind.prefix()).map(|rest| (kind, rest)))
            .ok_or(MalformedToken::Prefix)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != 2 * (TOKEN_ENTROPY + CHECKSUM) || !digits.bytes().all(is_digit) {
            return Err(MalformedToken::Form);
        }
        let (body, received) = text
            .split_at_checked(text.len() - 2 * CHECKSUM)
            .ok_or(MalformedToken::Form)?;
        if checksum(body) != received {
            return Err(MalformedToken::Checksum);
        }
        Ok(Self {
            kind,
            text: SecretString::from(text),
        })
    }

    /// The kind of the token.
    #[must_use]
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The text of the token. It is sent once to its holder, and must not be stored or logged.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }

    /// The hash of the token, which is stored.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.reveal())
    }

    /// The id of the token in lists and in the audit log.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.hash().id()
    }
}

/// Redacts the token, so that no log line contains it.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}[REDACTED])", self.kind.prefix())
    }
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body);
    HEXLOWER.encode(digest.get(..CHECKSUM).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::mint(TokenKind::Deploy, [7; TOKEN_ENTROPY])
    }

    #[test]
    fn a_token_has_the_format_that_secret_scanners_look_for() {
        let text = token().reveal().to_owned();
        assert_eq!(text, "dotdo_run_07070707070707070707070707070707070707078f820fde");
        assert_eq!(Token::parse(&text).map(|token| token.hash()), Ok(token().hash()));
    }

    #[test]
    fn the_checksum_detects_a_typo() {
        let text = token().reveal().to_owned();
        for (index, _) in text.char_indices().skip("dotdo_run_".len()) {
            let mut typo = text.clone();
            let other = if typo[index..].starts_with('5') { "6" } else { "5" };
            typo.replace_range(index..=index, other);
            assert_eq!(
                Token::parse(&typo).err(),
                Some(MalformedToken::Checksum),
                "at {index}"
            );
        }
        assert_eq!(
            Token::parse(&text.replace("run", "api")).err(),
            Some(MalformedToken::Checksum)
        );
    }

    #[test]
    fn malformed_tokens_are_rejected() {
        let text = token().reveal().to_owned();
        for (bad, reason) in [
            ("", MalformedToken::Prefix),
            ("ghp_abc", MalformedToken::Prefix),
            ("dotdo_", MalformedToken::Prefix),
            ("dotdo_run_", MalformedToken::Form),
            (&text[..text.len() - 1], MalformedToken::Form),
            (
                &text.to_uppercase().replace("DOTDO_RUN_", "dotdo_run_"),
                MalformedToken::Form,
            ),
            (&format!("{text}0"), MalformedToken::Form),
            (&format!("dotdo_run_{}", "é".repeat(24)), MalformedToken::Form),
        ] {
            assert_eq!(Token::parse(bad).err(), Some(reason), "{bad}");
        }
    }

    #[test]
    fn the_id_is_derived_from_the_hash_and_debug_output_is_redacted() {
        let token = token();
        assert_eq!(token.id(), token.hash().id());
        assert!(token.hash().to_hex().starts_with(token.id().as_str()));
        let printed = format!("{token:?} {:?}", token.hash());
        assert!(!printed.contains("0707"), "{printed}");
        assert!(!printed.contains(&token.hash().to_hex()), "{printed}");
    }
}
