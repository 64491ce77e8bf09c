use std::cell::RefCell;
use std::rc::Rc;

use super::destination::Destination;
use crate::configuration::ConfigurationError;
use crate::errors::Failure;
use crate::hostnames::{CacheEntry, HostnameCache};
use crate::routing::{CustomHostname, Host, RefusalCode, Router};

/// Finds the destination of a request: by the rules, and if no rule matches, by the cached custom hostnames.
#[derive(Debug)]
pub struct Resolver {
    router: Result<Router, ConfigurationError>,
    /// None without the KV namespace `HOSTNAMES`.
    hostnames: Option<RefCell<HostnameCache>>,
}

/// Why a request has no destination.
#[derive(Debug)]
pub enum Unresolved {
    /// The cache has no valid entry for this host: look it up in the KV namespace, call [`Resolver::cache_hostname`], and
    /// resolve again.
    Uncached(String),
    /// The request is answered with an error.
    Failed(Failure),
}

impl Resolver {
    /// A resolver over rules, with or without custom hostnames.
    #[must_use]
    pub fn new(router: Result<Router, ConfigurationError>, custom_hostnames: bool) -> Self {
        Self {
            router,
            hostnames: custom_hostnames.then(RefCell::default),
        }
    }

    /// Finds the destination of a request. `now` returns milliseconds since 1970; it is called only to check the age of a
    /// cached custom hostname.
    ///
    /// # Errors
    /// The request has no destination, or its host must be looked up first.
    pub fn resolve<'a>(
        &'a self,
        url: &'a str,
        now: impl FnOnce() -> f64,
    ) -> Result<Destination<'a>, Unresolved> {
        let router = self
            .router
            .as_ref()
            .map_err(|error| Unresolved::Failed(Failure::misconfigured(error.to_string())))?;
        let refusal = match router.route(url) {
            Ok(route) => return Ok(Destination::Route(route)),
            Err(refusal) => refusal,
        };
        if refusal.code() == RefusalCode::HostUnknown
            && let (Some(hostnames), Some(host)) = (&self.hostnames, refusal.host())
        {
            let host = host.normalized();
            match hostnames.borrow().get(&host, now()) {
                None => return Err(Unresolved::Uncached(host.into_owned())),
                Some(CacheEntry::Served(hostname)) => return Ok(Destination::Hostname(hostname)),
                Some(CacheEntry::Invalid(reason)) => {
                    let cause = format!("HOSTNAMES, the entry of {host}: {reason}");
                    return Err(Unresolved::Failed(Failure::misconfigured(cause)));
                }
                Some(CacheEntry::Unserved) => {}
            }
        }
        Err(Unresolved::Failed(Failure::from_refusal(&refusal)))
    }

    /// Caches what the KV namespace has for a host, at `now` in milliseconds since 1970. `value` is None without an entry.
    pub fn cache_hostname(&self, host: &str, value: Option<&str>, now: f64) {
        let Some(hostnames) = &self.hostnames else {
            return;
        };
        let entry = match (value, Host::parse(host)) {
            (Some(value), Ok(parsed)) => match CustomHostname::parse(parsed, value) {
                Ok(hostname) => CacheEntry::Served(Rc::new(hostname)),
                Err(error) => CacheEntry::Invalid(error.to_string().into()),
            },
            _ => CacheEntry::Unserved,
        };
        hostnames.borrow_mut().put(host, entry, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration;
    use crate::errors::Code;

    const URL: &str = "https://Shop.example.com/x";

    fn resolver(custom_hostnames: bool) -> Resolver {
        Resolver::new(configuration::router(None, None), custom_hostnames)
    }

    fn worker(resolver: &Resolver, url: &str) -> String {
        match resolver.resolve(url, || 0.0) {
            Ok(destination) => format!("{}/{}", destination.environment(), destination.worker()),
            Err(Unresolved::Uncached(host)) => format!("look up {host}"),
            Err(Unresolved::Failed(failure)) => failure.code.name().to_owned(),
        }
    }

    #[test]
    fn a_host_that_a_rule_matches_is_not_looked_up() {
        let resolver = resolver(true);
        resolver.cache_hostname("agents.do", Some("other"), 0.0);
        assert_eq!(worker(&resolver, "https://agents.do/"), "production/agents");
        assert_eq!(worker(&resolver, "https://qa.agents.do/"), "ENVIRONMENT_UNKNOWN");
    }

    #[test]
    fn a_custom_hostname_is_looked_up_once() {
        let resolver = resolver(true);
        assert_eq!(worker(&resolver, URL), "look up shop.example.com");
        resolver.cache_hostname("shop.example.com", Some("shop"), 0.0);
        assert_eq!(worker(&resolver, URL), "production/shop");
        resolver.cache_hostname("shop.example.com", None, 0.0);
        assert_eq!(worker(&resolver, URL), "HOST_UNKNOWN");
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_an_error_that_names_the_host() {
        let resolver = resolver(true);
        resolver.cache_hostname("shop.example.com", Some("Shop!"), 0.0);
        let Err(Unresolved::Failed(failure)) = resolver.resolve(URL, || 0.0) else {
            panic!("resolved");
        };
        assert_eq!(failure.code, Code::ConfigurationInvalid);
        assert!(
            failure
                .cause
                .starts_with("HOSTNAMES, the entry of shop.example.com: `Shop!`")
        );
        assert!(!failure.detail.contains("Shop!"));
    }

    #[test]
    fn without_a_kv_namespace_no_host_is_looked_up() {
        let resolver = resolver(false);
        resolver.cache_hostname("shop.example.com", Some("shop"), 0.0);
        assert_eq!(worker(&resolver, URL), "HOST_UNKNOWN");
    }

    #[test]
    fn an_ip_address_is_never_looked_up() {
        assert_eq!(worker(&resolver(true), "http://127.0.0.1:8787/"), "HOST_UNKNOWN");
    }

    #[test]
    fn an_invalid_configuration_fails_every_request_with_the_reason() {
        let resolver = Resolver::new(configuration::router(Some("[}"), None), true);
        for url in ["https://agents.do/", URL, "http://127.0.0.1/"] {
            let Err(Unresolved::Failed(failure)) = resolver.resolve(url, || 0.0) else {
                panic!("{url} is resolved");
            };
            assert_eq!(failure.code, Code::ConfigurationInvalid, "{url}");
            assert!(failure.cause.starts_with("ROUTES is not a JSON array"));
        }
    }
}
