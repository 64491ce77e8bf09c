//! A rule's target: Worker names, environments, limits and outbound parameters.

use dispatcher::routing::{Limits, Localhost, Router, Rule};
use dotdo_names::Environment;
use serde_json::json;

use crate::outcome::{check, load_error, with_routes};

#[test]
fn a_name_is_fixed_captured_or_composed() {
    let router = with_routes(&json!([
        {"pattern": "fixed.example.com", "worker": "shop"},
        {"pattern": "{tenant}.{app}.example.com", "worker": "{tenant}-{app}"},
        {"pattern": "{tenant}.example.org", "worker": "{tenant}{tenant}"},
    ]));
    check(
        &router,
        &[
            ("fixed.example.com", "production/shop"),
            ("a.b.example.com", "production/a-b"),
            ("a.example.org", "production/aa"),
            // Composed names are checked as well.
            ("a-.b.example.com", "WORKER_NAME_INVALID"),
            ("-a.b.example.com", "WORKER_NAME_INVALID"),
            (
                &format!("{}.{}.example.com", "a".repeat(32), "b".repeat(31)),
                "WORKER_NAME_INVALID",
            ),
        ],
    );
    let longest = format!("https://{}.{}.example.com/", "a".repeat(31), "b".repeat(31));
    assert_eq!(router.route(&longest).unwrap().worker().len(), 63);
}

#[test]
fn a_composed_name_is_checked_for_reserved_names() {
    let router = with_routes(&json!([{"pattern": "{a}.{b}.example.com", "worker": "{a}{b}"}]));
    check(
        &router,
        &[
            ("sta.ging.example.com", "WORKER_NAME_INVALID"),
            ("c.om.example.com", "WORKER_NAME_INVALID"),
            ("a.b.example.com", "production/ab"),
        ],
    );
}

#[test]
fn an_environment_is_fixed_captured_or_production() {
    let router = with_routes(&json!([
        {"pattern": "{worker}.example.com", "worker": "{worker}"},
        {"pattern": "{worker}.example.org", "worker": "{worker}", "environment": "staging"},
        {"pattern": "{worker}.{env}.example.net", "worker": "{worker}", "environment": "{env}"},
        {"pattern": "{env}-{worker}.example.net", "worker": "{worker}", "environment": "{env}"},
    ]));
    check(
        &router,
        &[
            ("a.example.com", "production/a"),
            ("a.example.org", "staging/a"),
            ("a.dev.example.net", "development/a"),
            ("a.production.example.net", "ENVIRONMENT_UNKNOWN"),
            ("a.qa.example.net", "ENVIRONMENT_UNKNOWN"),
            ("staging-a.example.net", "staging/a"),
            ("a-staging.example.net", "ENVIRONMENT_UNKNOWN"),
        ],
    );
    let environments: Vec<_> = router.rules().iter().take(3).map(Rule::environment).collect();
    assert_eq!(
        environments,
        [Some(Environment::Production), Some(Environment::Staging), None]
    );
}

#[test]
fn limits_and_outbound_parameters_belong_to_the_rule() {
    let router = with_routes(&json!([
        {
            "pattern": "{worker}.example.com",
            "worker": "{worker}",
            "limits": {"cpu_ms": 50, "subrequests": 10},
            "outbound": {"tenant": "t1", "plan": {"paid": true}},
        },
        {"pattern": "{worker}.example.org", "worker": "{worker}", "limits": {"cpu_ms": 300_000}},
    ]));
    let route = router.route("https://a.example.com/").unwrap();
    let limits = Limits {
        cpu_ms: Some(50),
        subrequests: Some(10),
    };
    assert_eq!(route.rule().limits(), Some(limits));
    assert_eq!(
        route.rule().outbound().unwrap().as_json(),
        r#"{"plan":{"paid":true},"tenant":"t1"}"#
    );
    let route = router.route("https://a.example.org/").unwrap();
    assert_eq!(route.rule().limits().unwrap().subrequests, None);
    assert_eq!(route.rule().outbound(), None);
    let route = router.route("https://agents.do/").unwrap();
    assert_eq!(route.rule().limits(), None);
}

#[test]
fn limits_are_within_the_ranges_of_the_platform() {
    let rule =
        |limits: serde_json::Value| json!([{"pattern": "a.example.com", "worker": "a", "limits": limits}]);
    for limits in [
        json!({"cpu_ms": 1}),
        json!({"cpu_ms": 300_000}),
        json!({"subrequests": 10_000}),
    ] {
        with_routes(&rule(limits));
    }
    for (limits, expected) in [
        (
            json!({"cpu_ms": 0}),
            "limits.cpu_ms: expected a whole number from 1 to 300000, found 0",
        ),
        (json!({"cpu_ms": 300_001}), "found 300001"),
        (json!({"cpu_ms": -1}), "found -1"),
        (json!({"cpu_ms": 1.0}), "found 1.0"),
        (json!({"cpu_ms": 4_294_967_297u64}), "found 4294967297"),
        (json!({"cpu_ms": "50"}), "found \"50\""),
        (
            json!({"subrequests": 0}),
            "limits.subrequests: expected a whole number from 1 to 10000, found 0",
        ),
        (json!({"subrequests": 10_001}), "found 10001"),
        (
            json!({}),
            "limits: expected `cpu_ms`, `subrequests` or both, found an empty object",
        ),
        (json!(50), "limits: expected an object, found 50"),
        (
            json!({"cpuMs": 50}),
            "limits.cpuMs: unknown member; did you mean `cpu_ms`?",
        ),
    ] {
        let error = load_error(&rule(limits.clone()));
        assert!(error.contains(expected), "{limits}: {error}");
    }
}

#[test]
fn outbound_parameters_are_an_object() {
    for (outbound, found) in [(json!([]), "an array"), (json!("x"), "\"x\""), (json!(1), "1")] {
        let error = load_error(&json!([{"pattern": "a.example.com", "worker": "a", "outbound": outbound}]));
        assert_eq!(
            error,
            format!("ROUTES[0] `a.example.com`: outbound: expected an object, found {found}")
        );
    }
}

#[test]
fn outbound_parameters_keep_their_text() {
    let outbound = r#"{ "z": 123456789012345678901234567890, "a": 1e400, "n": -0.10, "s": "\u0041\ud83e", "l": [ null ] }"#;
    let json = format!(r#"[{{"pattern": "a.example.com", "worker": "a", "outbound": {outbound} }}]"#);
    let router = Router::with_routes(&json, Localhost::Unserved).unwrap();
    let route = router.route("https://a.example.com/").unwrap();
    let parameters = route.rule().outbound().unwrap();
    assert_eq!(parameters.as_json(), outbound);
    assert_eq!(serde_json::to_string(parameters).unwrap(), outbound);
}
