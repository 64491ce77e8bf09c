use futures_util::lock::Mutex;
use jiff::Timestamp;
use thiserror::Error;

use super::key_cache::{KeyCache, Lookup};
use super::{Issuer, Issuers, KeySet, Presented, VerifyingKey};
use crate::identity::OidcRejection;

/// Reads documents from issuers.
pub trait KeySource {
    /// The body of `GET address`, if it is answered with 200 within ten seconds.
    ///
    /// No redirect is followed, no credential is sent, and at most 64 KiB of the body are of use.
    ///
    /// # Errors
    /// When there is no such answer.
    fn get(&self, address: &str) -> impl Future<Output = Result<Vec<u8>, FetchFailed>>;
}

/// An issuer gave no answer that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the issuer gave no answer that could be used")]
pub struct FetchFailed;

/// The keys of every configured issuer. One of these lives as long as the process.
#[derive(Debug)]
pub struct Keyring {
    issuers: Issuers,
    caches: Vec<Mutex<KeyCache>>,
}

impl Keyring {
    /// A keyring that has read no key yet.
    #[must_use]
    pub fn new(issuers: Issuers) -> Self {
        let caches = issuers.all().iter().map(|_| Mutex::default()).collect();
        Self { issuers, caches }
    }

    /// Who may issue tokens.
    #[must_use]
    pub const fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// The key that a token names, read from its issuer where that is due. Requests that come while an issuer is
    /// being asked wait for that one answer.
    ///
    /// # Errors
    /// When the issuer is not configured, has no such key, or cannot be reached.
    pub async fn key(
        &self,
        token: &Presented,
        now: Timestamp,
        source: &impl KeySource,
    ) -> Result<VerifyingKey, OidcRejection> {
        let (issuer, cache) = self
            .issuers
            .all()
            .iter()
            .zip(&self.caches)
            .find(|(issuer, _)| issuer.as_str() == token.issuer())
            .ok_or(OidcRejection::Issuer)?;
        let mut cache = cache.lock().await;
        match cache.look_up(token.key_id(), now) {
            Lookup::Key(key) => Ok(key),
            Lookup::Rejected(rejection) => Err(rejection),
            Lookup::Refresh => {
                cache.refreshed(read_keys(issuer, source).await, now);
                cache.held(token.key_id(), now)
            }
        }
    }
}

async fn read_keys(issuer: &Issuer, source: &impl KeySource) -> Option<KeySet> {
    let discovery = source.get(&issuer.discovery_address()).await.ok()?;
    let keys = source.get(&issuer.keys_address(&discovery)?).await.ok()?;
    KeySet::parse(&keys).ok()
}
