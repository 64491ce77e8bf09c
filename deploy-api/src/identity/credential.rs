use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::{MalformedToken, Token};

/// The longest bearer that is looked at, in bytes. No credential of ours comes near it.
const MAX_BEARER: usize = 512;

/// The fewest characters that a bootstrap secret may have; 32 hexadecimal digits are 128 bits.
const MIN_BOOTSTRAP: usize = 32;

/// What a request shows as proof of who it is.
#[derive(Debug)]
pub enum Credential {
    /// A token of ours, well-formed.
    Token(Token),
    /// Another text, which may be the bootstrap secret.
    Other(SecretString),
}

/// Why a request shows no credential that could be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidCredential {
    /// There is no `Authorization` header.
    #[error("no Authorization header")]
    Missing,
    /// Another scheme than `Bearer`, or nothing after it.
    #[error("the Authorization header is no Bearer")]
    NoBearer,
    /// Longer than any credential of ours.
    #[error("the bearer is longer than any credential")]
    TooLong,
    /// It begins like a token of ours and is none.
    #[error(transparent)]
    Malformed(#[from] MalformedToken),
}

impl Credential {
    /// Reads an `Authorization` header, whose scheme is compared without regard to case (RFC 9110, section 11.1).
    ///
    /// # Errors
    /// When there is none, or it can be told without a look-up that it is no credential of ours.
    pub fn from_authorization(header: Option<&str>) -> Result<Self, InvalidCredential> {
        let header = header.ok_or(InvalidCredential::Missing)?;
        let (scheme, bearer) = header.trim().split_once(' ').ok_or(InvalidCredential::NoBearer)?;
        let bearer = bearer.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || bearer.is_empty() {
            return Err(InvalidCredential::NoBearer);
        }
        if bearer.len() > MAX_BEARER {
            return Err(InvalidCredential::TooLong);
        }
        if Token::looks_like_one(bearer) {
            return Ok(Self::Token(Token::parse(bearer)?));
        }
        Ok(Self::Other(SecretString::from(bearer)))
    }
}

/// The bootstrap administrator's secret, of which only the SHA-256 is held.
pub struct BootstrapSecret([u8; 32]);

/// The configured secret is too short to be safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the bootstrap secret has fewer than 32 characters; make one with `openssl rand -hex 32`")]
pub struct BootstrapTooShort;

impl BootstrapSecret {
    /// Takes the secret as it is configured.
    ///
    /// # Errors
    /// When it has fewer than 32 characters.
    pub fn new(configured: &SecretString) -> Result<Self, BootstrapTooShort> {
        let text = configured.expose_secret().trim();
        if text.chars().count() < MIN_BOOTSTRAP {
            return Err(BootstrapTooShort);
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    /// Whether a text is the secret. Takes the same time for every text of one length.
    #[must_use]
    pub fn is(&self, candidate: &SecretString) -> bool {
        let candidate: [u8; 32] = Sha256::digest(candidate.expose_secret()).into();
        self.0.ct_eq(&candidate).into()
    }
}

/// Redacted, its hash too: a guess could be tried against it.
impl fmt::Debug for BootstrapSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BootstrapSecret([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{TOKEN_ENTROPY, TokenKind};

    #[test]
    fn a_bearer_is_a_token_or_another_text() {
        let token = Token::mint(TokenKind::Api, [1; TOKEN_ENTROPY]);
        let header = format!("bearer  {}", token.reveal());
        assert!(matches!(
            Credential::from_authorization(Some(&header)),
            Ok(Credential::Token(_))
        ));
        assert!(matches!(
            Credential::from_authorization(Some("Bearer else")),
            Ok(Credential::Other(_))
        ));
    }

    #[test]
    fn what_is_no_credential_is_refused_without_a_look_up() {
        let long = format!("Bearer {}", "x".repeat(MAX_BEARER + 1));
        for (header, reason) in [
            (None, InvalidCredential::Missing),
            (Some(""), InvalidCredential::NoBearer),
            (Some("Bearer"), InvalidCredential::NoBearer),
            (Some("Bearer "), InvalidCredential::NoBearer),
            (Some("Basic YTpi"), InvalidCredential::NoBearer),
            (Some(long.as_str()), InvalidCredential::TooLong),
            (
                Some("Bearer dotdo_x"),
                InvalidCredential::Malformed(MalformedToken::Prefix),
            ),
        ] {
            assert_eq!(
                Credential::from_authorization(header).err(),
                Some(reason),
                "{header:?}"
            );
        }
    }

    #[test]
    fn the_bootstrap_secret_is_itself_and_nothing_else() {
        let text = "0123456789abcdef0123456789abcdef";
        let secret = BootstrapSecret::new(&SecretString::from(text)).unwrap();
        assert!(secret.is(&SecretString::from(text)));
        assert!(!secret.is(&SecretString::from("0123456789abcdef0123456789abcdeF")));
        assert!(!secret.is(&SecretString::from("")));
        assert!(BootstrapSecret::new(&SecretString::from("short")).is_err());
    }

    #[test]
    fn no_credential_is_ever_printed() {
        let marker = "0123456789abcdef0123456789marker";
        let secret = BootstrapSecret::new(&SecretString::from(marker)).unwrap();
        let other = Credential::from_authorization(Some(&format!("Bearer {marker}")));
        let printed = format!("{secret:?} {other:?}");
        assert!(!printed.contains("marker"), "{printed}");
    }
}
