//! Verification of the OIDC tokens of CI services.
//!
//! [`Presented`] parses a token, [`Keyring`] finds the key of its issuer, and [`verify`] checks the signature, the audience
//! and the times. Only RS256 is accepted, only from configured issuers, and only with keys that the issuer publishes.
//! Headers that contain or refer to a key (`jku`, `x5u`, `jwk`, `x5c`) are ignored.
//! <https://docs.github.com/en/actions/reference/security/oidc>

mod issuer;
mod key_set;
mod keyring;
mod sealed_document;
mod token;

pub use issuer::{DEFAULT_AUDIENCE, InvalidIssuer, Issuer, Issuers};
pub use key_set::{KeySet, UnreadableKeySet, VerifyingKey};
pub use keyring::{
    DOCUMENTS_FRESH, FetchFailed, Fetched, KEYS_FRESH, KEYS_KEPT, KeySource, Keyring, REFRESH_INTERVAL,
};
pub use sealed_document::DocumentSeal;
pub use token::{LEEWAY, MAX_LIFETIME, MAX_OIDC_TOKEN, Presented, ProvenJob, verify};
