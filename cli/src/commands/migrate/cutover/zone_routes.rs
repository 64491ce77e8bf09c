//! The changes of routes that lead the hosts of a Worker to the dispatch Worker, and back. Pure: what was done already follows from the
//! routes of the zones.
//!
//! No step leaves a host without a Worker. A route is changed in one call and never removed first. A custom domain stays attached to the
//! account Worker, and a new route in front of it leads to the dispatch Worker: routes have precedence over custom domains.

use deploy_api::v1::types::{AccountHost, HostKind};
use dotdo_names::DISPATCH_WORKER;
use serde::{Deserialize, Serialize};

/// A route of a zone, as Cloudflare returns it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ZoneRoute {
    /// Its id.
    pub id: String,
    /// Its pattern.
    pub pattern: String,
    /// The Worker; `None` if no Worker gets the requests.
    #[serde(default)]
    pub script: Option<String>,
}

/// One change of the routes of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The zone.
    pub zone_id: String,
    /// The pattern of the route.
    pub pattern: String,
    /// What is done.
    pub action: StepAction,
    /// The Worker of the route before; null if there is none.
    pub from: Option<String>,
    /// The Worker of the route afterwards; null if it is removed.
    pub to: Option<String>,
    /// The id of the route; null if it is added.
    pub route: Option<String>,
    /// The account Worker of the plan.
    pub worker: String,
}

/// What a step does to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    /// The route gets another Worker.
    Change,
    /// A route is added in front of a custom domain.
    Add,
    /// That route is removed.
    Remove,
    /// Nothing: it was done before.
    None,
}

/// Why a host is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged(pub String);

/// The step for a host of an account Worker. `routes` are those of its zone now; `has_domain` tells whether the custom domain leads to the
/// Worker now.
///
/// # Errors
/// If the zone is not as the plan says, so that a change could take a host from somebody.
pub fn step(
    worker: &str,
    host: &AccountHost,
    routes: &[ZoneRoute],
    undo: bool,
    has_domain: bool,
) -> Result<Step, Unchanged> {
    let (before, after) = if undo {
        (DISPATCH_WORKER, worker)
    } else {
        (worker, DISPATCH_WORKER)
    };
    let pattern = match host.kind {
        HostKind::Route => host.pattern.clone(),
        HostKind::CustomDomain => format!("{}/*", host.pattern),
    };
    let found = routes.iter().find(|route| route.pattern == pattern);
    let with = |action, route: Option<&ZoneRoute>, to: Option<&str>| Step {
        zone_id: host.zone_id.clone(),
        pattern: pattern.clone(),
        action,
        from: route.and_then(|route| route.script.clone()),
        to: to.map(str::to_owned),
        route: route.map(|route| route.id.clone()),
        worker: worker.to_owned(),
    };
    let leads = |route: &ZoneRoute, to: &str| route.script.as_deref() == Some(to);
    match (host.kind, found) {
        (HostKind::Route, Some(route)) if leads(route, before) => {
            Ok(with(StepAction::Change, found, Some(after)))
        }
        (HostKind::Route, Some(route)) if leads(route, after) => {
            Ok(with(StepAction::None, found, Some(after)))
        }
        (HostKind::CustomDomain, None) if undo => Ok(with(StepAction::None, None, None)),
        (HostKind::CustomDomain, None) => Ok(with(StepAction::Add, None, Some(after))),
        (HostKind::CustomDomain, Some(route)) if leads(route, DISPATCH_WORKER) && undo => {
            if has_domain {
                Ok(with(StepAction::Remove, found, None))
            } else {
                Err(Unchanged(format!(
                    "The custom domain {} does not lead to {worker} any more: without the route {pattern}, the host would have no Worker.",
                    host.pattern
                )))
            }
        }
        (HostKind::CustomDomain, Some(route)) if leads(route, DISPATCH_WORKER) => {
            Ok(with(StepAction::None, found, Some(after)))
        }
        (_, Some(route)) => Err(Unchanged(format!(
            "The route {pattern} leads to {}, and the plan expects {before}: it was changed since the plan was made.",
            route.script.as_deref().unwrap_or("no Worker")
        ))),
        (HostKind::Route, None) => Err(Unchanged(format!(
            "The route {pattern} does not exist any more: it was removed since the plan was made."
        ))),
    }
}

/// Sorts steps into the order in which they are made: the narrowest patterns first, so that a mistake is noticed on few requests; back in
/// the opposite order.
pub fn in_order(mut steps: Vec<Step>, undo: bool) -> Vec<Step> {
    steps.sort_by(|one, other| {
        let wildcards = |step: &Step| step.pattern.matches('*').count();
        let key = |step: &Step| {
            (
                step.pattern.starts_with('*'),
                wildcards(step),
                usize::MAX - step.pattern.len(),
            )
        };
        key(one)
            .cmp(&key(other))
            .then_with(|| one.pattern.cmp(&other.pattern))
    });
    if undo {
        steps.reverse();
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(kind: HostKind, pattern: &str) -> AccountHost {
        AccountHost {
            kind,
            id: "h".to_owned(),
            pattern: pattern.to_owned(),
            worker: Some("api".to_owned()),
            zone_id: "z".to_owned(),
            zone: None,
        }
    }

    fn route(pattern: &str, script: &str) -> ZoneRoute {
        ZoneRoute {
            id: "r".to_owned(),
            pattern: pattern.to_owned(),
            script: Some(script.to_owned()),
        }
    }

    #[test]
    fn what_is_done_follows_from_the_routes() {
        use HostKind::{CustomDomain, Route};
        use StepAction::{Add, Change, None as Nothing, Remove};
        let (api, dispatcher) = (route("a.example/*", "api"), route("a.example/*", "dispatcher"));
        for (kind, routes, undo, expected) in [
            (Route, vec![api.clone()], false, Change),
            (Route, vec![dispatcher.clone()], false, Nothing),
            (Route, vec![dispatcher.clone()], true, Change),
            (Route, vec![api], true, Nothing),
            (CustomDomain, vec![], false, Add),
            (CustomDomain, vec![dispatcher.clone()], false, Nothing),
            (CustomDomain, vec![dispatcher.clone()], true, Remove),
            (CustomDomain, vec![], true, Nothing),
        ] {
            let pattern = if kind == Route { "a.example/*" } else { "a.example" };
            let made = step("api", &host(kind, pattern), &routes, undo, true).unwrap();
            assert_eq!(
                (made.action, made.pattern.as_str()),
                (expected, "a.example/*"),
                "{kind:?} {undo}"
            );
        }
        let domain = host(CustomDomain, "a.example");
        assert!(
            step("api", &domain, &[dispatcher], true, false).is_err(),
            "the host would have no Worker"
        );
        for undo in [false, true] {
            assert!(step("api", &domain, &[route("a.example/*", "other")], undo, true).is_err());
            let host = host(Route, "a.example/*");
            assert!(step("api", &host, &[route("a.example/*", "other")], undo, true).is_err());
            assert!(step("api", &host, &[], undo, true).is_err());
        }
    }

    #[test]
    fn narrow_patterns_come_first() {
        let steps: Vec<Step> = [
            "*.example.com/*",
            "example.com/*",
            "example.com/api/*",
            "a.example.com/x",
        ]
        .iter()
        .map(|pattern| {
            step(
                "api",
                &host(HostKind::Route, pattern),
                &[route(pattern, "api")],
                false,
                true,
            )
            .unwrap()
        })
        .collect();
        let patterns = |steps: Vec<Step>| steps.into_iter().map(|step| step.pattern).collect::<Vec<_>>();
        let ordered = patterns(in_order(steps.clone(), false));
        assert_eq!(
            ordered,
            [
                "a.example.com/x",
                "example.com/api/*",
                "example.com/*",
                "*.example.com/*"
            ]
        );
        let mut back = patterns(in_order(steps, true));
        back.reverse();
        assert_eq!(back, ordered);
    }
}
