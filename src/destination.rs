use std::rc::Rc;

use dotdo_names::Environment;

use crate::json::ObjectWriter;
use crate::routing::{CustomHostname, Limits, Outbound, Route, StrippedPrefix};

/// Where a request goes, whoever said so.
#[derive(Clone, Debug)]
pub enum Destination<'a> {
    /// A rule.
    Route(Route<'a>),
    /// The entry of a custom hostname.
    Hostname(Rc<CustomHostname>),
}

impl<'a> Destination<'a> {
    /// The environment, and with it the namespace.
    #[must_use]
    pub fn environment(&self) -> Environment {
        match self {
            Self::Route(route) => route.environment(),
            Self::Hostname(hostname) => hostname.environment,
        }
    }

    /// The Worker's name.
    #[must_use]
    pub fn worker(&self) -> &str {
        match self {
            Self::Route(route) => route.worker(),
            Self::Hostname(hostname) => hostname.worker.as_str(),
        }
    }

    /// What of the path the Worker does not see.
    #[must_use]
    pub fn stripped(&self) -> Option<StrippedPrefix<'a>> {
        match self {
            Self::Route(route) => route.stripped(),
            Self::Hostname(_) => None,
        }
    }

    /// Who said so, for the log.
    #[must_use]
    pub fn origin(&self) -> String {
        match self {
            Self::Route(route) => route.rule().to_string(),
            Self::Hostname(_) => "HOSTNAMES".to_owned(),
        }
    }

    /// The third argument of the namespace's `get`, as JSON; none where there is nothing to say, so that it is left out.
    #[must_use]
    pub fn options(&self) -> Option<String> {
        let (limits, outbound) = match self {
            Self::Route(route) => (route.rule().limits(), route.rule().outbound()),
            Self::Hostname(hostname) => (hostname.limits, hostname.outbound.as_ref()),
        };
        options(limits, outbound)
    }
}

/// `{limits?: {cpuMs?, subRequests?}, outbound?: {…}}`, as workerd types it
/// (<https://github.com/cloudflare/workerd/blob/main/types/defines/wfp.d.ts>).
fn options(limits: Option<Limits>, outbound: Option<&Outbound>) -> Option<String> {
    if limits.is_none() && outbound.is_none() {
        return None;
    }
    let mut options = ObjectWriter::new();
    if let Some(limits) = limits {
        let mut numbers = ObjectWriter::new();
        for (key, value) in [("cpuMs", limits.cpu_ms), ("subRequests", limits.subrequests)] {
            if let Some(value) = value {
                numbers.number(key, value);
            }
        }
        options.raw("limits", &numbers.finish());
    }
    if let Some(outbound) = outbound {
        options.raw("outbound", outbound.as_json());
    }
    Some(options.finish())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::routing::{Localhost, Router};

    fn options_of(extra: &str) -> Option<Value> {
        let json = format!(r#"[{{"pattern": "shop.example.com", "worker": "shop"{extra}}}]"#);
        let router = Router::with_routes(&json, Localhost::Unserved).unwrap();
        let route = router.route("https://shop.example.com/").unwrap();
        let options = Destination::Route(route).options()?;
        Some(serde_json::from_str(&options).unwrap())
    }

    #[test]
    fn a_rule_that_says_nothing_has_no_options() {
        assert_eq!(options_of(""), None);
    }

    #[test]
    fn limits_are_named_as_the_platform_names_them() {
        assert_eq!(
            options_of(r#", "limits": {"cpu_ms": 50}"#),
            Some(json!({ "limits": { "cpuMs": 50 } }))
        );
        assert_eq!(
            options_of(r#", "limits": {"subrequests": 5, "cpu_ms": 10}"#),
            Some(json!({ "limits": { "cpuMs": 10, "subRequests": 5 } }))
        );
    }

    #[test]
    fn outbound_parameters_are_passed_on_as_they_were_written() {
        assert_eq!(
            options_of(r#", "limits": {"cpu_ms": 1}, "outbound": {"tenant": "a\"b", "n": [1, null]}"#),
            Some(json!({ "limits": { "cpuMs": 1 }, "outbound": { "tenant": "a\"b", "n": [1, null] } }))
        );
    }
}
