use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{InvalidCredential, MalformedToken};

/// Why authentication failed. Callers get the same response for every reason; the audit log records the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The credential is missing or malformed.
    #[error(transparent)]
    Credential(#[from] InvalidCredential),
    /// A well-formed token that does not exist.
    #[error("the token is unknown")]
    TokenUnknown,
    /// The token has expired.
    #[error("the token has expired")]
    TokenExpired,
    /// The token was revoked.
    #[error("the token was revoked")]
    TokenRevoked,
    /// The token has no uses left.
    #[error("the token has no uses left")]
    TokenUsedUp,
    /// The bearer credential is neither a token nor the bootstrap secret.
    #[error("the bearer credential is neither a token nor the bootstrap secret")]
    BearerUnknown,
    /// The address of the client is locked out after too many guesses.
    #[error("the address of the client is locked out after too many guesses")]
    LockedOut,
    /// The OIDC token is not accepted.
    #[error(transparent)]
    Oidc(#[from] OidcRejection),
}

/// Why an OIDC token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OidcRejection {
    /// The token is too long.
    #[error("the OIDC token is too long")]
    TooLong,
    /// The token does not have three base64url parts, or a part is not JSON.
    #[error("the OIDC token is malformed")]
    Malformed,
    /// The algorithm is not RS256. `none` is rejected as well.
    #[error("the OIDC token's algorithm is not RS256")]
    Algorithm,
    /// The token has a critical header (`crit`). None is supported.
    #[error("the OIDC token has a critical header")]
    CriticalHeader,
    /// The token has no key id (`kid`).
    #[error("the OIDC token has no key id")]
    NoKeyId,
    /// The issuer is not configured.
    #[error("the OIDC token's issuer is not configured")]
    Issuer,
    /// The issuer did not publish the key when its keys were last fetched, and that fetch did not fail.
    #[error("the OIDC token's key is unknown")]
    KeyUnknown,
    /// The keys of the issuer could not be fetched, and the cached keys do not have the key or are too old. The token may be
    /// valid.
    #[error("the keys of the issuer could not be fetched")]
    KeysUnavailable,
    /// The signature is not valid for the key.
    #[error("the OIDC token's signature is invalid")]
    Signature,
    /// The claims are missing or invalid.
    #[error("the OIDC token's claims cannot be read")]
    Claims,
    /// The audience is not this API alone.
    #[error("the OIDC token has another audience")]
    Audience,
    /// The token has expired.
    #[error("the OIDC token has expired")]
    Expired,
    /// The token is not valid yet.
    #[error("the OIDC token is not valid yet")]
    NotYetValid,
    /// The validity is longer than the time for which the `jti` is stored.
    #[error("the OIDC token is valid for too long")]
    Lifetime,
    /// The token was already exchanged.
    #[error("the OIDC token was already exchanged")]
    Replayed,
}

impl Rejection {
    /// The name in the audit log.
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

    /// Whether the failure counts as a guess at a credential, which leads to a lockout: a well-formed credential that is
    /// unknown or forged. The rule is the same for every kind of credential. These do not count: text that cannot be a
    /// credential, which does not reach the ledger; a token that exists or existed; an OIDC token that its issuer signed, such
    /// as an expired or repeated one; and an OIDC token that cannot be checked now.
    #[must_use]
    pub const fn is_a_guess(self) -> bool {
        matches!(
            self,
            Self::TokenUnknown
                | Self::Oidc(OidcRejection::Issuer | OidcRejection::KeyUnknown | OidcRejection::Signature)
        )
    }
}

impl OidcRejection {
    /// The name in the audit log.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_forged_credentials_are_guesses() {
        assert!(Rejection::TokenUnknown.is_a_guess());
        for oidc in [
            OidcRejection::Issuer,
            OidcRejection::KeyUnknown,
            OidcRejection::Signature,
        ] {
            assert!(Rejection::Oidc(oidc).is_a_guess(), "{oidc}");
        }
    }

    #[test]
    fn text_that_cannot_be_a_credential_and_known_credentials_are_not_guesses() {
        for rejection in [
            Rejection::Credential(InvalidCredential::Missing),
            Rejection::Credential(InvalidCredential::Malformed(MalformedToken::Checksum)),
            Rejection::BearerUnknown,
            Rejection::TokenExpired,
            Rejection::TokenRevoked,
            Rejection::TokenUsedUp,
        ] {
            assert!(!rejection.is_a_guess(), "{rejection}");
        }
        for oidc in [
            OidcRejection::Malformed,
            OidcRejection::KeysUnavailable,
            OidcRejection::Claims,
            OidcRejection::Audience,
            OidcRejection::Expired,
            OidcRejection::NotYetValid,
            OidcRejection::Lifetime,
            OidcRejection::Replayed,
        ] {
            assert!(!Rejection::Oidc(oidc).is_a_guess(), "{oidc}");
        }
    }
}
