use std::rc::Rc;

use dotdo_names::Environment;
use serde::Serialize;

use crate::errors::Target;
use crate::routing::{CustomHostname, Limits, Outbound, Route, StrippedPrefix};

/// Where a request goes: decided by a rule or by the entry of a custom hostname.
#[derive(Clone, Debug)]
pub enum Destination<'a> {
    /// A rule matched.
    Route(Route<'a>),
    /// The host is a custom hostname.
    Hostname(Rc<CustomHostname>),
}

/// The third argument of the namespace's `get`, as workerd types it
/// (<https://github.com/cloudflare/workerd/blob/main/types/defines/wfp.d.ts>).
#[derive(Serialize)]
struct GetOptions<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<GetLimits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outbound: Option<&'a Outbound>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GetLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_requests: Option<u32>,
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

    /// The Worker name.
    #[must_use]
    pub fn worker(&self) -> &str {
        match self {
            Self::Route(route) => route.worker(),
            Self::Hostname(hostname) => hostname.worker.as_str(),
        }
    }

    /// The prefix of the path that the Worker does not see.
    #[must_use]
    pub fn stripped(&self) -> Option<StrippedPrefix<'a>> {
        match self {
            Self::Route(route) => route.stripped(),
            Self::Hostname(_) => None,
        }
    }

    /// The third argument of the namespace's `get`, as JSON. None if there are neither limits nor outbound parameters.
    #[must_use]
    pub fn options(&self) -> Option<String> {
        let (limits, outbound) = match self {
            Self::Route(route) => (route.rule().limits(), route.rule().outbound()),
            Self::Hostname(hostname) => (hostname.limits, hostname.outbound.as_ref()),
        };
        if limits.is_none() && outbound.is_none() {
            return None;
        }
        let options = GetOptions {
            limits: limits.map(GetLimits::from),
            outbound,
        };
        serde_json::to_string(&options).ok()
    }
}

impl From<Limits> for GetLimits {
    fn from(limits: Limits) -> Self {
        Self {
            cpu_ms: limits.cpu_ms,
            sub_requests: limits.subrequests,
        }
    }
}

impl From<&Destination<'_>> for Target {
    fn from(destination: &Destination<'_>) -> Self {
        let rule = match destination {
            Destination::Route(route) => route.rule().to_string(),
            Destination::Hostname(_) => "HOSTNAMES".to_owned(),
        };
        Self {
            environment: Some(destination.environment()),
            worker: Some(destination.worker().to_owned()),
            rule: Some(rule),
        }
    }
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
    fn a_rule_without_limits_and_outbound_has_no_options() {
        assert_eq!(options_of(""), None);
    }

    #[test]
    fn limits_have_the_names_of_the_platform() {
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
    fn outbound_parameters_are_unchanged() {
        assert_eq!(
            options_of(r#", "limits": {"cpu_ms": 1}, "outbound": {"tenant": "a\"b", "n": [1, null]}"#),
            Some(json!({ "limits": { "cpuMs": 1 }, "outbound": { "tenant": "a\"b", "n": [1, null] } }))
        );
    }

    #[test]
    fn the_target_for_the_log_names_environment_worker_and_rule() {
        let router = Router::builtin(Localhost::Unserved);
        let route = router.route("https://staging.agents.do/").unwrap();
        let target = Target::from(&Destination::Route(route));
        assert_eq!(target.environment, Some(Environment::Staging));
        assert_eq!(target.worker.as_deref(), Some("agents"));
        assert_eq!(target.rule.as_deref(), Some("built-in `{env}.{worker}.do`"));
    }
}
