use jiff::{SignedDuration, Timestamp};

use super::{KeySet, VerifyingKey};
use crate::identity::OidcRejection;

/// The shortest time between two reads of one issuer's keys, whatever tokens ask for.
pub const REFRESH_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// For how long keys are used without asking whether they still hold.
pub const KEYS_FRESH: SignedDuration = SignedDuration::from_hours(1);

/// For how long keys are used while the issuer cannot be reached; after that, nothing is accepted.
pub const KEYS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The keys of one issuer, as they were last read.
#[derive(Debug, Default)]
pub(super) struct KeyCache {
    keys: KeySet,
    read: Option<Timestamp>,
    tried: Option<Timestamp>,
}

/// What is to be done for a token that names a key.
#[derive(Debug)]
pub(super) enum Lookup {
    /// This is the key.
    Key(VerifyingKey),
    /// The issuer's keys are to be read, then asked for again.
    Refresh,
    /// There is no such key, and it is too early to ask again.
    Rejected(OidcRejection),
}

impl KeyCache {
    /// Looks for a key, and says when the issuer's keys are to be read first.
    pub fn look_up(&self, key_id: &str, now: Timestamp) -> Lookup {
        let age = self.read.map(|read| now.duration_since(read));
        let fresh = age.is_some_and(|age| age < KEYS_FRESH);
        let may_refresh = self
            .tried
            .is_none_or(|tried| now.duration_since(tried) >= REFRESH_INTERVAL);
        match self.held(key_id, now) {
            Ok(key) if fresh || !may_refresh => Lookup::Key(key),
            _ if may_refresh => Lookup::Refresh,
            Ok(key) => Lookup::Key(key),
            Err(rejection) => Lookup::Rejected(rejection),
        }
    }

    /// The key, from what is held and not too old.
    pub fn held(&self, key_id: &str, now: Timestamp) -> Result<VerifyingKey, OidcRejection> {
        if self.read.is_none_or(|read| now.duration_since(read) >= KEYS_KEPT) {
            return Err(OidcRejection::KeysUnavailable);
        }
        self.keys.get(key_id).cloned().ok_or(OidcRejection::KeyUnknown)
    }

    /// Takes the result of a read. Keys that were held stay when it failed, and go when they are no longer published.
    pub fn refreshed(&mut self, keys: Option<KeySet>, now: Timestamp) {
        self.tried = Some(now);
        if let Some(keys) = keys {
            self.keys = keys;
            self.read = Some(now);
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
        cache.refreshed(Some(keys(ids)), at(0));
        cache
    }

    #[test]
    fn an_empty_cache_asks_first() {
        assert!(matches!(KeyCache::default().look_up("a", at(0)), Lookup::Refresh));
    }

    #[test]
    fn a_fresh_key_is_used_without_asking() {
        assert!(matches!(cache(&["a"]).look_up("a", at(3599)), Lookup::Key(_)));
        assert!(matches!(cache(&["a"]).look_up("a", at(3600)), Lookup::Refresh));
    }

    #[test]
    fn an_unknown_key_asks_at_most_once_a_minute() {
        let mut cache = cache(&["a"]);
        assert!(matches!(
            cache.look_up("b", at(59)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
        assert!(matches!(cache.look_up("b", at(60)), Lookup::Refresh));
        cache.refreshed(Some(keys(&["a"])), at(60));
        assert!(matches!(
            cache.look_up("c", at(61)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
        assert!(
            matches!(cache.look_up("a", at(61)), Lookup::Key(_)),
            "known keys are not held up"
        );
        assert!(matches!(cache.look_up("c", at(120)), Lookup::Refresh));
    }

    #[test]
    fn keys_outlive_an_issuer_that_fails_for_a_day_and_no_longer() {
        let mut cache = cache(&["a"]);
        cache.refreshed(None, at(3600));
        assert!(matches!(cache.look_up("a", at(3601)), Lookup::Key(_)));
        cache.refreshed(None, at(86_399));
        assert!(matches!(cache.look_up("a", at(86_399)), Lookup::Key(_)));
        assert!(matches!(
            cache.look_up("a", at(86_400)),
            Lookup::Rejected(OidcRejection::KeysUnavailable)
        ));
    }

    #[test]
    fn a_failed_first_read_is_not_repeated_within_the_minute() {
        let mut cache = KeyCache::default();
        cache.refreshed(None, at(0));
        assert!(matches!(
            cache.look_up("a", at(59)),
            Lookup::Rejected(OidcRejection::KeysUnavailable)
        ));
        assert!(matches!(cache.look_up("a", at(60)), Lookup::Refresh));
    }

    #[test]
    fn a_key_that_is_no_longer_published_goes() {
        let mut cache = cache(&["a"]);
        cache.refreshed(Some(keys(&["b"])), at(3600));
        assert!(matches!(
            cache.look_up("a", at(3601)),
            Lookup::Rejected(OidcRejection::KeyUnknown)
        ));
    }
}
