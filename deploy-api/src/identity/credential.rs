use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::{MalformedToken, Token};

/// The maximum length of a bearer credential, in bytes. The tokens of this API are much shorter.
const MAX_BEARER: usize = 512;

/// The minimum length of the bootstrap secret, in characters. 32 hexadecimal digits have 128 bits.
const MIN_BOOTSTRAP: usize = 32;

/// The credential of a request.
#[derive(Debug)]
pub enum Credential {
    /// A well-formed token of this API.
    Token(Token),
    /// Another string, which may be the bootstrap secret.
    Other(SecretString),
}

/// Why a request has no credential that can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidCredential {
    /// There is no `Authorization` header.
    #[error("no Authorization header")]
    Missing,
    /// The scheme is not `Bearer`, or nothing follows it.
    #[error("the Authorization header does not have a bearer credential")]
    NoBearer,
    /// The bearer credential is too long.
    #[error("the bearer credential is too long")]
    TooLong,
    /// It starts like a token of this API, but is not a valid token.
    #[error(transparent)]
    Malformed(#[from] MalformedToken),
}

impl Credential {
    /// Parses an `Authorization` header. The scheme is case-insensitive (RFC 9110, section 11.1).
    ///
    /// # Errors
    /// If the header is missing, or if its form shows that it is not a credential of this API.
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

/// The secret of the bootstrap administrator. Only its SHA-256 is kept.
pub struct BootstrapSecret([u8; 32]);

/// The configured bootstrap secret is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the bootstrap secret has fewer than 32 characters; generate one with `openssl rand -hex 32`")]
pub struct BootstrapTooShort;

impl BootstrapSecret {
    /// Hashes the configured secret.
    ///
    /// # Errors
    /// If the secret has fewer than 32 characters.
    pub fn new(configured: &SecretString) -> Result<Self, BootstrapTooShort> {
        let text = configured.expose_secret().trim();
        if text.chars().count() < MIN_BOOTSTRAP {
            return Err(BootstrapTooShort);
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    /// Whether a string is the secret. The comparison takes the same time for all strings of the same length.
    #[must_use]
    pub fn is(&self, candidate: &SecretString) -> bool {
        let candidate: [u8; 32] = Sha256::digest(candidate.expose_secret()).into();
        self.0.ct_eq(&candidate).into()
    }
}

/// Redacts the hash as well, because guesses could be checked against it.
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
    fn a_bearer_credential_is_a_token_or_another_string() {
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
    fn invalid_headers_are_rejected_without_a_lookup() {
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
    fn only_the_bootstrap_secret_matches() {
        let text = "0123456789abcdef0123456789abcdef";
        let secret = BootstrapSecret::new(&SecretString::from(text)).unwrap();
        assert!(secret.is(&SecretString::from(text)));
        assert!(!secret.is(&SecretString::from("0123456789abcdef0123456789abcdeF")));
        assert!(!secret.is(&SecretString::from("")));
        assert!(BootstrapSecret::new(&SecretString::from("short")).is_err());
    }

    #[test]
    fn credentials_are_redacted_in_debug_output() {
        let marker = "0123456789abcdef0123456789marker";
        let secret = BootstrapSecret::new(&SecretString::from(marker)).unwrap();
        let other = Credential::from_authorization(Some(&format!("Bearer {marker}")));
        let printed = format!("{secret:?} {other:?}");
        assert!(!printed.contains("marker"), "{printed}");
    }
}
