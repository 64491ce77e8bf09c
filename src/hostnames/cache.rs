use std::rc::Rc;

use crate::routing::CustomHostname;

/// What the KV namespace has for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheEntry {
    /// A valid entry.
    Served(Rc<CustomHostname>),
    /// An entry that cannot be read, and why.
    Invalid(Rc<str>),
    /// No entry.
    Unserved,
}

/// The custom hostnames that this isolate has looked up, each for [`LIFETIME_MS`](Self::LIFETIME_MS).
///
/// The cache never has more than [`CAPACITY`](Self::CAPACITY) hosts: expired ones go first, then those without a Worker,
/// then all.
#[derive(Debug, Default)]
pub struct HostnameCache {
    /// Sorted by host. A hash map is not faster for so few hosts, and adds a kilobyte to the Worker.
    entries: Vec<Cached>,
}

#[derive(Debug)]
struct Cached {
    host: Box<str>,
    entry: CacheEntry,
    /// Milliseconds since 1970.
    expires: f64,
}

impl HostnameCache {
    /// How long an entry is valid, in milliseconds. A host without an entry is cached as well, so that a host that points
    /// here by mistake does not cost a look-up per request. With the cache of KV itself ([`KV_CACHE_SECONDS`]) a change is
    /// visible after at most one minute.
    ///
    /// [`KV_CACHE_SECONDS`]: super::KV_CACHE_SECONDS
    pub const LIFETIME_MS: f64 = 30_000.0;
    /// The maximum number of hosts, so that requests for many hosts cannot fill the memory of the isolate.
    pub const CAPACITY: usize = 1024;

    /// The entry of a host that is still valid at `now`, in milliseconds since 1970.
    #[must_use]
    pub fn get(&self, host: &str, now: f64) -> Option<CacheEntry> {
        let cached = self.entries.get(self.position(host).ok()?)?;
        (cached.expires > now).then(|| cached.entry.clone())
    }

    /// Stores the entry of a host that was read at `now`, in milliseconds since 1970.
    pub fn put(&mut self, host: &str, entry: CacheEntry, now: f64) {
        let expires = now + Self::LIFETIME_MS;
        if let Ok(position) = self.position(host)
            && let Some(cached) = self.entries.get_mut(position)
        {
            cached.entry = entry;
            cached.expires = expires;
            return;
        }
        if self.entries.len() >= Self::CAPACITY {
            self.evict(now);
        }
        let position = self.position(host).unwrap_or_else(|position| position);
        let host = host.into();
        self.entries.insert(position, Cached { host, entry, expires });
    }

    fn position(&self, host: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|cached| (*cached.host).cmp(host))
    }

    /// Makes room for one host.
    fn evict(&mut self, now: f64) {
        self.entries.retain(|cached| cached.expires > now);
        if self.entries.len() >= Self::CAPACITY {
            self.entries
                .retain(|cached| matches!(cached.entry, CacheEntry::Served(_)));
        }
        if self.entries.len() >= Self::CAPACITY {
            self.entries.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::Host;

    fn served(worker: &str) -> CacheEntry {
        let host = Host::parse("shop.example.com").unwrap();
        CacheEntry::Served(Rc::new(CustomHostname::parse(host, worker).unwrap()))
    }

    #[test]
    fn entries_and_missing_entries_are_valid_for_half_a_minute() {
        let mut cache = HostnameCache::default();
        assert_eq!(cache.get("a.example.com", 0.0), None);
        cache.put("a.example.com", served("a"), 0.0);
        cache.put("b.example.com", CacheEntry::Unserved, 0.0);
        assert_eq!(cache.get("a.example.com", 29_999.0), Some(served("a")));
        assert_eq!(cache.get("b.example.com", 29_999.0), Some(CacheEntry::Unserved));
        assert_eq!(cache.get("a.example.com", 30_000.0), None);
        assert_eq!(cache.get("b.example.com", 30_000.0), None);
    }

    #[test]
    fn many_unserved_hosts_neither_grow_the_cache_nor_evict_served_hosts() {
        let mut cache = HostnameCache::default();
        cache.put("shop.example.com", served("shop"), 0.0);
        for number in 0..10 * HostnameCache::CAPACITY {
            cache.put(&format!("{number}.example.com"), CacheEntry::Unserved, 1.0);
            assert!(cache.entries.len() <= HostnameCache::CAPACITY);
        }
        assert_eq!(cache.get("shop.example.com", 2.0), Some(served("shop")));
    }

    #[test]
    fn many_served_hosts_do_not_grow_the_cache() {
        let mut cache = HostnameCache::default();
        for number in 0..=HostnameCache::CAPACITY {
            cache.put(&format!("{number}.example.com"), served("shop"), 0.0);
        }
        assert_eq!(cache.entries.len(), 1);
    }
}
