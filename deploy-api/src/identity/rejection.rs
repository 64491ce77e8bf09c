use thiserror::Error;

use super::{InvalidCredential, MalformedToken};

/// Why nobody was authenticated. Callers are told one and the same thing for all of these; the name goes on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// What was shown can be told without a look-up to be no credential.
    #[error(transparent)]
    Credential(#[from] InvalidCredential),
    /// A well-formed token that does not exist.
    #[error("the token is unknown")]
    TokenUnknown,
    /// The token's time is over.
    #[error("the token has expired")]
    TokenExpired,
    /// The token was revoked.
    #[error("the token was revoked")]
    TokenRevoked,
    /// The token was used as often as it may be.
    #[error("the token has no uses left")]
    TokenUsedUp,
    /// A text that is not the bootstrap secret.
    #[error("the bearer is neither a token nor the bootstrap secret")]
    BearerUnknown,
    /// Too many guesses came from the client's address.
    #[error("the client's address is locked out after too many guesses")]
    LockedOut,
    /// An OIDC token that is not accepted.
    #[error(transparent)]
    Oidc(#[from] OidcRejection),
}

/// Why an OIDC token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OidcRejection {
    /// Longer than any token of an issuer.
    #[error("the OIDC token is too long")]
    TooLong,
    /// Not three parts in base64url, or no JSON in them.
    #[error("the OIDC token is malformed")]
    Malformed,
    /// Another algorithm than RS256, `none` included.
    #[error("the OIDC token's algorithm is not RS256")]
    Algorithm,
    /// A header that must be understood, and is not (`crit`).
    #[error("the OIDC token has a critical header")]
    CriticalHeader,
    /// No `kid`, so no key could be found.
    #[error("the OIDC token names no key")]
    NoKeyId,
    /// An issuer that is not configured.
    #[error("the OIDC token's issuer is not configured")]
    Issuer,
    /// A key that the issuer does not publish, or not since its keys were last read.
    #[error("the OIDC token's key is unknown")]
    KeyUnknown,
    /// The issuer's keys could not be read, and none are held that are fresh enough.
    #[error("the issuer's keys could not be read")]
    KeysUnavailable,
    /// The signature is not by that key.
    #[error("the OIDC token's signature is wrong")]
    Signature,
    /// The claims are not those of a GitHub run.
    #[error("the OIDC token's claims cannot be read")]
    Claims,
    /// Made for somebody else.
    #[error("the OIDC token's audience is another")]
    Audience,
    /// Its time is over.
    #[error("the OIDC token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the OIDC token is not valid yet")]
    NotYetValid,
    /// Valid for longer than its `jti` would be remembered.
    #[error("the OIDC token is valid for too long")]
    Lifetime,
    /// It was exchanged before.
    #[error("the OIDC token was exchanged before")]
    Replayed,
}

impl Rejection {
    /// The name that goes on record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credential(InvalidCredential::Missing) => "credential_missing",
            Self::Credential(InvalidCredential::NoBearer) => "credential_no_bearer",
            Self::Credential(InvalidCredential::TooLong) => "credential_too_long",
            Self::Credential(InvalidCredential::Malformed(MalformedToken::Prefix)) => "token_prefix",
            Self::Credential(InvalidCredential::Malformed(MalformedToken::Form)) => "token_form",
            Self::Credential(InvalidCredential::Malformed(MalformedToken::Checksum)) => "token_checksum",
            Self::TokenUnknown => "token_unknown",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::TokenUsedUp => "token_used_up",
            Self::BearerUnknown => "bearer_unknown",
            Self::LockedOut => "locked_out",
            Self::Oidc(oidc) => oidc.name(),
        }
    }

    /// Whether it was a guess at a credential, which counts towards a lock-out. A mistyped token is none, nor is one
    /// that did exist.
    #[must_use]
    pub const fn is_a_guess(self) -> bool {
        matches!(self, Self::TokenUnknown | Self::BearerUnknown | Self::Oidc(_))
    }
}

impl OidcRejection {
    /// The name that goes on record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "oidc_too_long",
            Self::Malformed => "oidc_malformed",
            Self::Algorithm => "oidc_algorithm",
            Self::CriticalHeader => "oidc_critical_header",
            Self::NoKeyId => "oidc_no_key_id",
            Self::Issuer => "oidc_issuer",
            Self::KeyUnknown => "oidc_key_unknown",
            Self::KeysUnavailable => "oidc_keys_unavailable",
            Self::Signature => "oidc_signature",
            Self::Claims => "oidc_claims",
            Self::Audience => "oidc_audience",
            Self::Expired => "oidc_expired",
            Self::NotYetValid => "oidc_not_yet_valid",
            Self::Lifetime => "oidc_lifetime",
            Self::Replayed => "oidc_replayed",
        }
    }
}
