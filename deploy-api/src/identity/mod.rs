//! Authentication: the identity of a caller and the credentials that prove it.
//!
//! There are three kinds of [`Identity`]: a job of a CI service ([`GitHubRun`], [`GitLabJob`], [`BuildkiteJob`]), which
//! exchanges an OIDC token for a deploy token; the [`Subject`] of an API token, for people and other CI systems; and the
//! bootstrap administrator, who stores the first policy.
//!
//! This module does not read a clock or generate random numbers, and it does not fetch keys itself: the caller passes
//! times, random bytes and a [`KeySource`](oidc::KeySource).

mod ci_jobs;
mod credential;
mod identities;
pub mod lockout;
pub mod oidc;
mod provider;
mod rejection;
mod shown_credential;
mod token;
mod token_hash;

pub use ci_jobs::{BuildkiteJob, GitHubRun, GitLabJob};
pub use credential::{BootstrapSecret, BootstrapTooShort, Credential, InvalidCredential};
pub use identities::{Identity, InvalidSubject, Subject};
pub use provider::{GITHUB_ISSUER, Provider};
pub use rejection::{OidcRejection, Rejection};
pub use shown_credential::ShownCredential;
pub use token::{MalformedToken, TOKEN_ENTROPY, Token, TokenKind};
pub use token_hash::{InvalidTokenHash, InvalidTokenId, TokenHash, TokenId};
