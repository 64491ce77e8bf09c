use std::fmt;

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{TokenHash, TokenId};

/// The random bytes of a token: 160 bits, which nobody guesses.
pub const TOKEN_ENTROPY: usize = 20;

/// The bytes of the checksum: a typo is recognised as one with a chance of 1 - 2^-32.
const CHECKSUM: usize = 4;

/// What a token is for, which its prefix tells people and secret scanners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// `dotdo_run_…`: a GitHub run's, for minutes.
    Deploy,
    /// `dotdo_api_…`: a person's or another CI's.
    Api,
}

impl TokenKind {
    const ALL: [Self; 2] = [Self::Deploy, Self::Api];

    /// What a token of the kind begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Deploy => "dotdo_run_",
            Self::Api => "dotdo_api_",
        }
    }
}

/// A token of ours, as its holder shows it: opaque, and never stored; only its [`TokenHash`] is.
///
/// Its form, for secret scanners, is `dotdo_(run|api)_[0-9a-f]{48}`: 20 random bytes, then the first four of the
/// SHA-256 of the prefix and those bytes in hexadecimal, so that a typo is told from a guess without a look-up.
#[derive(Clone)]
pub struct Token {
    kind: TokenKind,
    text: SecretString,
}

/// Why a text is no token of ours. Carries nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MalformedToken {
    /// It begins otherwise.
    #[error("the text does not begin with dotdo_run_ or dotdo_api_")]
    Prefix,
    /// It has another length, or characters that no token has.
    #[error("the token is cut off, or has characters that no token has")]
    Form,
    /// It was mistyped or made up.
    #[error("the token's checksum is wrong: it was mistyped or made up")]
    Checksum,
}

impl Token {
    /// Makes a token from random bytes, which must come from the runtime's cryptographic generator.
    #[must_use]
    pub fn mint(kind: TokenKind, entropy: [u8; TOKEN_ENTROPY]) -> Self {
        let body = format!("{}{}", kind.prefix(), HEXLOWER.encode(&entropy));
        let checksum = checksum(&body);
        Self {
            kind,
            text: SecretString::from(body + &checksum),
        }
    }

    /// Whether a text begins as all tokens of ours do, well-formed or not.
    #[must_use]
    pub fn looks_like_one(text: &str) -> bool {
        text.starts_with("dotdo_")
    }

    /// Reads a token.
    ///
    /// # Errors
    /// When the text has another form, or its checksum is wrong.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let (kind, digits) = TokenKind::ALL
            .into_iter()
            .find_map(|kind| text.strip_prefix(kind.prefix()).map(|rest| (kind, rest)))
            .ok_or(MalformedToken::Prefix)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != 2 * (TOKEN_ENTROPY + CHECKSUM) || !digits.bytes().all(is_digit) {
            return Err(MalformedToken::Form);
        }
        let (body, shown) = text
            .split_at_checked(text.len() - 2 * CHECKSUM)
            .ok_or(MalformedToken::Form)?;
        if checksum(body) != shown {
            return Err(MalformedToken::Checksum);
        }
        Ok(Self {
            kind,
            text: SecretString::from(text),
        })
    }

    /// What the token is for.
    #[must_use]
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The token itself, to be shown once to its holder and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }

    /// What is stored of the token.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.reveal())
    }

    /// The name under which the token is listed and on record.
    #[must_use]
    pub fn id(&self) -> TokenId {
        self.hash().id()
    }
}

/// Redacted, so that no log line holds a token.
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
    fn a_token_has_the_form_that_secret_scanners_look_for() {
        let text = token().reveal().to_owned();
        assert_eq!(text, "dotdo_run_07070707070707070707070707070707070707078f820fde");
        assert_eq!(Token::parse(&text).map(|token| token.hash()), Ok(token().hash()));
    }

    #[test]
    fn a_typo_is_told_from_a_guess() {
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
    fn other_texts_are_no_tokens() {
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
    fn a_token_is_named_by_its_hash_and_never_printed() {
        let token = token();
        assert_eq!(token.id(), token.hash().id());
        assert!(token.hash().to_hex().starts_with(token.id().as_str()));
        let printed = format!("{token:?} {:?}", token.hash());
        assert!(!printed.contains("0707"), "{printed}");
        assert!(!printed.contains(&token.hash().to_hex()), "{printed}");
    }

    #[test]
    fn ids_are_sixteen_digits() {
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
