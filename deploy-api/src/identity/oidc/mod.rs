//! OIDC tokens of GitHub Actions: from the text that a run shows to the run it proves.
//!
//! A token is read ([`Presented`]), its issuer's key is found ([`Keyring`]), and its signature, audience and times are
//! checked ([`verify`]). Only RS256 is accepted, only from configured issuers, and only with keys that the issuer
//! itself publishes: headers that would bring their own (`jku`, `x5u`, `jwk`) are not even looked at.
//! <https://docs.github.com/en/actions/reference/security/oidc>

mod issuer;
mod key_cache;
mod key_set;
mod keyring;
mod presented;
mod verification;

pub use issuer::{DEFAULT_AUDIENCE, InvalidIssuer, Issuer, Issuers};
pub use key_cache::{KEYS_FRESH, KEYS_KEPT, REFRESH_INTERVAL};
pub use key_set::{KeySet, UnreadableKeySet, VerifyingKey};
pub use keyring::{FetchFailed, KeySource, Keyring};
pub use presented::{MAX_OIDC_TOKEN, Presented};
pub use verification::{LEEWAY, MAX_LIFETIME, ProvenRun, verify};
