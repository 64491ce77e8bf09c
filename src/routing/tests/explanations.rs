//! Explanations of decisions, as JSON.

use serde_json::{Value, json};

use crate::outcome::{builtin, with_routes};

fn explained(router: &dispatcher::routing::Router, url: &str) -> Value {
    serde_json::to_value(router.explain(url)).unwrap()
}

#[test]
fn a_route() {
    assert_eq!(
        explained(&builtin(), "https://staging.apis.do/agents/x?q"),
        json!({
            "url": "https://staging.apis.do/agents/x?q",
            "route": {
                "rule": "built-in `{env}.apis.do/{worker}/*`",
                "environment": "staging",
                "namespace": "dotdo-staging",
                "binding": "DISPATCHER_STAGING",
                "worker": "agents",
                "stripped_prefix": "/agents",
                "rewritten_url": "https://staging.apis.do/x?q",
                "rewritten_path": "/x?q",
            },
        })
    );
}

#[test]
fn a_route_with_limits_and_outbound_parameters() {
    let router = with_routes(&json!([{
        "pattern": "{tenant}.example.com", "worker": "shop-{tenant}", "limits": {"cpu_ms": 50}, "outbound": {"a": [1]},
    }]));
    assert_eq!(
        explained(&router, "https://t1.example.com/")["route"],
        json!({
            "rule": "ROUTES[0] `{tenant}.example.com`",
            "environment": "production",
            "namespace": "dotdo-production",
            "binding": "DISPATCHER_PRODUCTION",
            "worker": "shop-t1",
            "limits": {"cpu_ms": 50},
            "outbound": {"a": [1]},
        })
    );
}

#[test]
fn a_refusal() {
    for (url, code, reason, rule, may_be_custom) in [
        (
            "https://shop.example.com/",
            "HOST_UNKNOWN",
            "no rule serves this host",
            None,
            true,
        ),
        (
            "https://127.0.0.1/",
            "HOST_UNKNOWN",
            "the host is an IP address; Workers are reached by name",
            None,
            false,
        ),
        (
            "https://com.do/",
            "WORKER_NAME_INVALID",
            "`com` is not a valid Worker name: a Worker name must not be a second-level suffix of the .do registry",
            Some("built-in `{worker}.do`"),
            false,
        ),
        (
            "https://agents--qa.apis.do/",
            "ENVIRONMENT_UNKNOWN",
            "`qa` is not an environment: the labels are `staging`, `dev` and `development`, and production has none",
            Some("built-in `{worker}--{env}.apis.do`"),
            false,
        ),
    ] {
        let explanation = explained(&builtin(), url);
        let refusal = &explanation["refusal"];
        assert_eq!(explanation["url"], url);
        assert_eq!(
            (&refusal["code"], &refusal["reason"]),
            (&json!(code), &json!(reason))
        );
        assert_eq!(
            refusal.get("nearest_rule"),
            rule.map(Value::from).as_ref(),
            "{url}"
        );
        assert_eq!(refusal["may_be_custom_hostname"], may_be_custom, "{url}");
    }
}
