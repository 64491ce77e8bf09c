use std::cell::RefCell;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::{Issuer, Issuers, KeySet, Presented, VerifyingKey};
use crate::identity::OidcRejection;

/// Fetches documents from issuers.
pub trait KeySource {
    /// Sends `GET address` and returns the body of the response, or returns a copy that is at most `max_age` old.
    ///
    /// An implementation does not follow redirects and does not send credentials. The timeout is ten seconds. Bodies of
    /// more than 64 KiB are not used.
    ///
    /// # Errors
    /// If there is no response with the status 200 within the timeout.
    fn get(
        &self,
        address: &str,
        max_age: SignedDuration,
    ) -> impl Future<Output = Result<Fetched, FetchFailed>>;
}

/// A document of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The document.
    pub document: Vec<u8>,
    /// How long ago the issuer sent it.
    pub age: SignedDuration,
}

/// The document could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the document could not be fetched from the issuer")]
pub struct FetchFailed;

/// The cached keys of all configured issuers. There is one keyring per process.
#[derive(Debug)]
pub struct Keyring {
    issuers: Issuers,
    caches: Vec<RefCell<KeyCache>>,
}

impl Keyring {
    /// Makes a keyring with an empty cache.
    #[must_use]
    pub fn new(issuers: Issuers) -> Self {
        let caches = issuers.all().iter().map(|_| RefCell::default()).collect();
        Self { issuers, caches }
    }

    /// The configured issuers.
    #[must_use]
    pub const fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// The key with the key id of a token, from the cache or from the issuer. Requests do not wait for each other: in a stateless
    /// Worker, a request that is continued by another one fails or hangs. So several may fetch the keys at once.
    ///
    /// # Errors
    /// If the issuer is not configured, does not have the key, or cannot be reached. While it cannot be reached, a key that is
    /// not cached is unavailable and not unknown.
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
        // The first fetch may return a copy of keys that the issuer has replaced since.
        for _ in 0..2 {
            let found = cache.borrow().look_up(token.key_id(), now);
            match found {
                Lookup::Key(key) => return Ok(key),
                Lookup::Rejected(rejection) => return Err(rejection),
                Lookup::Refresh { max_age } => {
                    let keys = fetch_keys(issuer, source, max_age).await;
                    cache.borrow_mut().store(keys, now);
                }
            }
        }
        cache.borrow().cached_key(token.key_id(), now)
    }
}

/// The keys of the issuer and their age.
async fn fetch_keys(
    issuer: &Issuer,
    source: &impl KeySource,
    max_age: SignedDuration,
) -> Option<(KeySet, SignedDuration)> {
    let discovery = source
        .get(&issuer.discovery_address(), DOCUMENTS_FRESH)
        .await
        .ok()?;
    let address = issuer.keys_address(&discovery.document)?;
    let keys = source.get(&address, max_age).await.ok()?;
    Some((KeySet::parse(&keys.document).ok()?, keys.age))
}

/// The minimum time between two fetches of the keys of an issuer.
pub const REFRESH_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// The maximum age of a copy of a document when the cached keys are not fresh.
pub const DOCUMENTS_FRESH: SignedDuration = SignedDuration::from_mins(10);

/// How long cached keys are used before they are fetched again.
pub const KEYS_FRESH: SignedDuration = SignedDuration::from_hours(1);

/// How long cached keys are used while the issuer cannot be reached. After that, no token of the issuer is accepted.
pub const KEYS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The cached keys of one issuer.
#[derive(Debug, Default)]
pub(super) struct KeyCache {
    keys: KeySet,
    /// When the issuer sent the keys.
    fetched: Option<Timestamp>,
    /// When the keys were last fetched, successfully or not.
    tried: Option<Timestamp>,
    /// Whether the last fetch failed, so that the issuer may have newer keys.
    is_failing: bool,
}

/// The result of a lookup in the cache.
#[derive(Debug)]
pub(super) enum Lookup {
    /// The cache has the key.
    Key(VerifyingKey),
    /// The keys must be fetched before the lookup. A copy of this age is new enough.
    Refresh {
        /// The maximum age.
        max_age: SignedDuration,
    },
    /// The cache does not have the key, and the keys must not be fetched again yet.
    Rejected(OidcRejection),
}

impl KeyCache {
    /// Looks up a key, or reports that the keys must be fetched first.
    pub fn look_up(&self, key_id: &str, now: Timestamp) -> Lookup {
        let age = self.fetched.map(|fetched| now.duration_since(fetched));
        let fresh = age.is_some_and(|age| age < KEYS_FRESH);
        let may_refresh = self
            .tried
            .is_none_or(|tried| now.duration_since(tried) >= REFRESH_INTERVAL);
        match self.cached_key(key_id, now) {
            Ok(key) if fresh || !may_refresh => Lookup::Key(key),
            _ if may_refresh => Lookup::Refresh {
                max_age: if fresh { REFRESH_INTERVAL } else { DOCUMENTS_FRESH },
            },
            Ok(key) => Lookup::Key(key),
            Err(rejection) => Lookup::Rejected(rejection),
        }
    }

    /// The key, if the cached keys are not too old.
    pub fn cached_key(&self, key_id: &str, now: Timestamp) -> Result<VerifyingKey, OidcRejection> {
        if self
            .fetched
            .is_none_or(|fetched| now.duration_since(fetched) >= KEYS_KEPT)
        {
            return Err(OidcRejection::KeysUnavailable);
        }
        self.keys.get(key_id).cloned().ok_or(if self.is_failing {
            OidcRejection::KeysUnavailable
        } else {
            OidcRejection::KeyUnknown
        })
    }

    /// Stores the result of a fetch. After a failed fetch (`None`), the cached keys stay. After a successful one, they are
    /// replaced, unless the fetched copy is older than they are.
    pub fn store(&mut self, keys: Option<(KeySet, SignedDuration)>, now: Timestamp) {
        self.is_failing = keys.is_none();
        let Some((keys, age)) = keys else {
            self.tried = Some(now);
            return;
        };
        let sent = now.saturating_sub(age).unwrap_or(now);
        self.tried = self.tried.max(Some(sent));
        if self.fetched.is_none_or(|fetched| fetched <= sent) {
            self.keys = keys;
            self.fetched = Some(sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

    use super::*;

    fn keys(ids: &[&str]) -> KeySet {
        let n = BASE64URL_NOPAD.encode(&[0xff; 256]);
        let keys: Vec<_> = ids
            .iter()
            .map(|id| serde_json::json!({"kty": "RSA", "kid": id, "n": n, "e": "AQAB"}))
            .collect();
        KeySet::parse(serde_json::json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn cache(ids: &[&str]) -> KeyCache {
        let mut cache = KeyCache::default();
        cache.store(Some((keys(ids), SignedDuration::ZERO)), at(0));
        cache
    }

    #[test]
    fn an_empty_cache_is_refreshed_first() {
        assert!(matches!(
            KeyCache::default().look_up("a", at(0)),
            Lookup::Refresh { .. }
        ));
    }

    #[test]
    fn a_fresh_key_is_used_without_a_fetch() {
        assert!(matches!(cache(&["a"]).look_up("a", at(3599)), Lookup::Key(_)));
        assert!(matches!(
            cache(&["a"]).look_up("a", at(3600)),
            Lookup::Refresh { .. }
        ));
    }

    #[test]
    fn an_unknown_key_causes_at_most_one_fetch_per_minute() {
        let mut cache = cache(&["a"]);
        assert!(matches!(
            cache.look_up("b", at(59)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
        assert!(matches!(cache.look_up("b", at(60)), Lookup::Refresh { .. }));
        cache.store(Some((keys(&["a"]), SignedDuration::ZERO)), at(60));
        assert!(matches!(
            cache.look_up("c", at(61)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
        assert!(
            matches!(cache.look_up("a", at(61)), Lookup::Key(_)),
            "known keys do not wait for a fetch"
        );
        assert!(matches!(cache.look_up("c", at(120)), Lookup::Refresh { .. }));
    }

    #[test]
    fn cached_keys_are_used_for_a_day_while_the_issuer_fails() {
        let mut cache = cache(&["a"]);
        cache.store(None, at(3600));
        assert!(matches!(cache.look_up("a", at(3601)), Lookup::Key(_)));
        cache.store(None, at(86_399));
        assert!(matches!(cache.look_up("a", at(86_399)), Lookup::Key(_)));
        assert!(matches!(
            cache.look_up("a", at(86_400)),
            Lookup::Rejected(OidcRejection::KeysUnavailable)
        ));
    }

    #[test]
    fn an_unknown_key_is_unavailable_while_the_issuer_fails() {
        let mut cache = cache(&["a"]);
        cache.store(None, at(60));
        assert!(matches!(
            cache.look_up("b", at(61)),
            Lookup::Rejected(OidcRejection::KeysUnavailable)
        ));
        assert!(matches!(cache.look_up("a", at(61)), Lookup::Key(_)));
        cache.store(Some((keys(&["a"]), SignedDuration::ZERO)), at(120));
        assert!(matches!(
            cache.look_up("b", at(121)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
    }

    #[test]
    fn a_failed_first_fetch_is_not_repeated_within_a_minute() {
        let mut cache = KeyCache::default();
        cache.store(None, at(0));
        assert!(matches!(
            cache.look_up("a", at(59)),
            Lookup::Rejected(OidcRejection::KeysUnavailable)
        ));
        assert!(matches!(cache.look_up("a", at(60)), Lookup::Refresh { .. }));
    }

    #[test]
    fn a_key_that_is_no_longer_published_is_removed() {
        let mut cache = cache(&["a"]);
        cache.store(Some((keys(&["b"]), SignedDuration::ZERO)), at(3600));
        assert!(matches!(
            cache.look_up("a", at(3601)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
    }

    #[test]
    fn the_age_of_a_copy_counts() {
        let mut cache = KeyCache::default();
        let Lookup::Refresh { max_age } = cache.look_up("b", at(0)) else {
            panic!("the keys are not fetched");
        };
        assert_eq!(max_age, DOCUMENTS_FRESH);
        cache.store(Some((keys(&["a"]), SignedDuration::from_mins(5))), at(0));
        assert!(matches!(cache.look_up("a", at(0)), Lookup::Key(_)));
        let Lookup::Refresh { max_age } = cache.look_up("b", at(0)) else {
            panic!("the key may be newer than the copy");
        };
        assert_eq!(max_age, REFRESH_INTERVAL);
        assert!(matches!(cache.look_up("a", at(3299)), Lookup::Key(_)));
        assert!(matches!(
            cache.look_up("a", at(3300)),
            Lookup::Refresh {
                max_age: DOCUMENTS_FRESH
            }
        ));
    }

    #[test]
    fn an_older_copy_does_not_replace_newer_keys() {
        let mut cache = cache(&["new"]);
        cache.store(Some((keys(&["old"]), SignedDuration::from_secs(30))), at(10));
        assert!(matches!(cache.look_up("new", at(10)), Lookup::Key(_)));
        assert!(matches!(
            cache.look_up("old", at(10)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
    }
}
