use std::rc::Rc;

use crate::routing::CustomHostname;

/// What the KV namespace said about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It has a Worker.
    Served(Rc<CustomHostname>),
    /// It has an entry that cannot be read, and why.
    Invalid(Rc<str>),
    /// It has no entry.
    Unserved,
}

/// The custom hostnames that this isolate has looked up, for [`LIFETIME`](Self::LIFETIME) each.
#[derive(Debug, Default)]
pub struct HostnameCache {
    /// Sorted by host: a search costs about what a hash would, and takes a tenth of the code.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    host: Box<str>,
    known: Known,
    /// Milliseconds since 1970.
    until: f64,
}

impl HostnameCache {
    /// How long an answer holds, in milliseconds. Misses too: a host that points here by mistake must not cost a look-up
    /// per request.
    pub const LIFETIME: f64 = 60_000.0;
    /// The most hosts that are kept, so that a flood of them cannot fill the isolate's memory.
    pub const CAPACITY: usize = 1024;

    /// What is known about a host at a time in milliseconds since 1970.
    #[must_use]
    pub fn get(&self, host: &str, now: f64) -> Option<Known> {
        let entry = self.entries.get(self.position(host).ok()?)?;
        (entry.until > now).then(|| entry.known.clone())
    }

    /// Keeps what was just learnt.
    pub fn put(&mut self, host: &str, known: Known, now: f64) {
        let until = now + Self::LIFETIME;
        if let Ok(position) = self.position(host)
            && let Some(entry) = self.entries.get_mut(position)
        {
            entry.known = known;
            entry.until = until;
            return;
        }
        if self.entries.len() >= Self::CAPACITY {
            self.make_room(now);
        }
        let position = self.position(host).unwrap_or_else(|position| position);
        let host = host.into();
        self.entries.insert(position, Entry { host, known, until });
    }

    fn position(&self, host: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| (*entry.host).cmp(host))
    }

    /// Lets go of what is over; if nothing is, of the hosts that lead nowhere; if there are none either, of everything.
    fn make_room(&mut self, now: f64) {
        self.entries.retain(|entry| entry.until > now);
        if self.entries.len() >= Self::CAPACITY {
            self.entries
                .retain(|entry| matches!(entry.known, Known::Served(_)));
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

    fn served(worker: &str) -> Known {
        let host = Host::parse("shop.example.com").unwrap();
        Known::Served(Rc::new(CustomHostname::parse(host, worker).unwrap()))
    }

    #[test]
    fn hits_and_misses_hold_for_a_minute() {
        let mut cache = HostnameCache::default();
        assert_eq!(cache.get("a.example.com", 0.0), None);
        cache.put("a.example.com", served("a"), 0.0);
        cache.put("b.example.com", Known::Unserved, 0.0);
        assert_eq!(cache.get("a.example.com", 59_999.0), Some(served("a")));
        assert_eq!(cache.get("b.example.com", 59_999.0), Some(Known::Unserved));
        assert_eq!(cache.get("a.example.com", 60_000.0), None);
        assert_eq!(cache.get("b.example.com", 60_000.0), None);
    }

    #[test]
    fn a_flood_of_hosts_neither_grows_the_cache_nor_displaces_served_hosts() {
        let mut cache = HostnameCache::default();
        cache.put("shop.example.com", served("shop"), 0.0);
        for number in 0..10 * HostnameCache::CAPACITY {
            cache.put(&format!("{number}.example.com"), Known::Unserved, 1.0);
            assert!(cache.entries.len() <= HostnameCache::CAPACITY);
        }
        assert_eq!(cache.get("shop.example.com", 2.0), Some(served("shop")));
    }

    #[test]
    fn more_served_hosts_than_fit_are_still_kept_in_bounds() {
        let mut cache = HostnameCache::default();
        for number in 0..=HostnameCache::CAPACITY {
            cache.put(&format!("{number}.example.com"), served("shop"), 0.0);
        }
        assert_eq!(cache.entries.len(), 1);
    }
}
