use std::cell::RefCell;
use std::rc::Rc;

use crate::configuration::ConfigurationError;
use crate::destination::Destination;
use crate::failure::Failure;
use crate::hostname_cache::{HostnameCache, Known};
use crate::routing::{CustomHostname, Host, RefusalCode, Router};

/// Finds a request's destination: by the rules first, and where none matches, by what is known of custom hostnames.
#[derive(Debug)]
pub struct Resolver {
    router: Result<Router, ConfigurationError>,
    /// None where no KV namespace is bound.
    hostnames: Option<RefCell<HostnameCache>>,
}

/// Why a request has no destination yet.
#[derive(Debug)]
pub enum Unresolved {
    /// The KV namespace has to be asked about this host first; see [`Resolver::learn`].
    Hostname(String),
    /// Nobody serves the host. It may be the dispatch Worker's own.
    Unserved(Failure),
    /// The request is refused.
    Refused(Failure),
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

    /// Where a request goes. `now` gives milliseconds since 1970; it is called only where a cached answer is at stake.
    ///
    /// # Errors
    /// The request has no destination, or not yet.
    pub fn resolve<'a>(
        &'a self,
        url: &'a str,
        now: impl FnOnce() -> f64,
    ) -> Result<Destination<'a>, Unresolved> {
        let router = self
            .router
            .as_ref()
            .map_err(|error| Unresolved::Refused(Failure::misconfigured(error.to_string())))?;
        let refusal = match router.route(url) {
            Ok(route) => return Ok(Destination::Route(route)),
            Err(refusal) => refusal,
        };
        if refusal.code() != RefusalCode::HostUnknown {
            return Err(Unresolved::Refused(Failure::refused(&refusal)));
        }
        if let (Some(hostnames), Some(host)) = (&self.hostnames, refusal.host()) {
            let host = host.normalized();
            match hostnames.borrow().get(&host, now()) {
                None => return Err(Unresolved::Hostname(host.into_owned())),
                Some(Known::Served(hostname)) => return Ok(Destination::Hostname(hostname)),
                Some(Known::Invalid(reason)) => {
                    let cause = format!("HOSTNAMES, the entry of {host}: {reason}");
                    return Err(Unresolved::Refused(Failure::misconfigured(cause)));
                }
                Some(Known::Unserved) => {}
            }
        }
        Err(Unresolved::Unserved(Failure::refused(&refusal)))
    }

    /// Keeps what the KV namespace holds under a host, if anything.
    pub fn learn(&self, host: &str, value: Option<&str>, now: f64) {
        let Some(hostnames) = &self.hostnames else {
            return;
        };
        let known = match (value, Host::parse(host)) {
            (Some(value), Ok(parsed)) => match CustomHostname::parse(parsed, value) {
                Ok(hostname) => Known::Served(Rc::new(hostname)),
                Err(error) => Known::Invalid(error.to_string().into()),
            },
            _ => Known::Unserved,
        };
        hostnames.borrow_mut().put(host, known, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;
    use crate::configuration;

    const URL: &str = "https://Shop.example.com/x";

    fn resolver(custom_hostnames: bool) -> Resolver {
        Resolver::new(configuration::router(None, None), custom_hostnames)
    }

    fn worker(resolver: &Resolver, url: &str) -> String {
        match resolver.resolve(url, || 0.0) {
            Ok(destination) => format!("{}/{}", destination.environment(), destination.worker()),
            Err(Unresolved::Hostname(host)) => format!("ask for {host}"),
            Err(Unresolved::Unserved(failure)) => format!("unserved: {}", failure.code.name()),
            Err(Unresolved::Refused(failure)) => format!("refused: {}", failure.code.name()),
        }
    }

    #[test]
    fn rules_come_first_and_cost_no_look_up() {
        let resolver = resolver(true);
        resolver.learn("agents.do", Some("other"), 0.0);
        assert_eq!(worker(&resolver, "https://agents.do/"), "production/agents");
        assert_eq!(
            worker(&resolver, "https://qa.agents.do/"),
            "refused: ENVIRONMENT_UNKNOWN"
        );
    }

    #[test]
    fn a_custom_hostname_is_asked_for_once() {
        let resolver = resolver(true);
        assert_eq!(worker(&resolver, URL), "ask for shop.example.com");
        resolver.learn("shop.example.com", Some("shop"), 0.0);
        assert_eq!(worker(&resolver, URL), "production/shop");
        resolver.learn("shop.example.com", None, 0.0);
        assert_eq!(worker(&resolver, URL), "unserved: HOST_UNKNOWN");
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_an_error_and_says_which() {
        let resolver = resolver(true);
        resolver.learn("shop.example.com", Some("Shop!"), 0.0);
        let Err(Unresolved::Refused(failure)) = resolver.resolve(URL, || 0.0) else {
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
    fn without_a_kv_namespace_nobody_is_asked() {
        let resolver = resolver(false);
        resolver.learn("shop.example.com", Some("shop"), 0.0);
        assert_eq!(worker(&resolver, URL), "unserved: HOST_UNKNOWN");
    }

    #[test]
    fn an_address_is_never_looked_up() {
        assert_eq!(
            worker(&resolver(true), "http://127.0.0.1:8787/"),
            "unserved: HOST_UNKNOWN"
        );
    }

    #[test]
    fn a_broken_configuration_refuses_every_request_and_says_why() {
        let resolver = Resolver::new(configuration::router(Some("[}"), None), true);
        for url in ["https://agents.do/", URL, "http://127.0.0.1/"] {
            let Err(Unresolved::Refused(failure)) = resolver.resolve(url, || 0.0) else {
                panic!("{url} is not refused");
            };
            assert_eq!(failure.code, Code::ConfigurationInvalid, "{url}");
            assert!(failure.cause.starts_with("ROUTES is not a JSON array"));
        }
    }
}
