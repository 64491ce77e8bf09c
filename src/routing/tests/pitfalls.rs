//! Regression tests for the defects of an earlier build of this system.

use serde_json::json;

use crate::outcome::{builtin, check, load_error, outcome, with_routes};

/// Pitfall 1: a staging host was served by production, because only the first label was read.
#[test]
fn pitfall_1_every_label_is_read() {
    check(
        &builtin(),
        &[
            ("agents.staging.do", "staging/agents"),
            ("staging.agents.do", "staging/agents"),
            ("agents--staging.apis.do", "staging/agents"),
            (
                "staging.apis.do/agents/",
                "staging/agents at /agents as https://staging.apis.do/",
            ),
        ],
    );
}

/// Pitfall 2: `endsWith(".do")` was tested before `.staging.do`, so staging was unreachable.
#[test]
fn pitfall_2_a_specific_rule_behind_a_general_one_is_an_error() {
    check(
        &builtin(),
        &[
            ("agents.staging.do", "staging/agents"),
            ("agents.do", "production/agents"),
        ],
    );
    let error = load_error(&json!([
        {"pattern": "{worker}.{zone}.example", "worker": "{worker}-{zone}"},
        {"pattern": "{worker}.staging.example", "worker": "{worker}", "environment": "staging"},
    ]));
    assert!(
        error.contains("ROUTES[1]") && error.contains("ROUTES[0]"),
        "{error}"
    );
}

/// Pitfall 3: a wildcard compared suffixes without the dot: `evilexample.com` matched `example.com`.
#[test]
fn pitfall_3_labels_are_compared_whole() {
    let router = with_routes(&json!([
        {"pattern": "example.com", "worker": "home"},
        {"pattern": "{worker}.example.com", "worker": "{worker}"},
    ]));
    check(
        &router,
        &[
            ("a.example.com", "production/a"),
            ("evilexample.com", "HOST_UNKNOWN"),
            ("a.evilexample.com", "HOST_UNKNOWN"),
            ("example.com.evil", "HOST_UNKNOWN"),
            ("evilagents.do", "production/evilagents"),
            ("agents.xdo", "HOST_UNKNOWN"),
        ],
    );
}

/// Pitfall 4: `foo.gateway.anything` matched: the suffix was never checked.
#[test]
fn pitfall_4_the_suffix_is_checked() {
    check(
        &builtin(),
        &[
            ("agents.apis.anything", "HOST_UNKNOWN"),
            ("agents.anything", "HOST_UNKNOWN"),
            ("agents.do.anything", "HOST_UNKNOWN"),
            ("staging.agents.anything", "HOST_UNKNOWN"),
        ],
    );
    let error = load_error(&json!([{"pattern": "{worker}.gateway.{tld}", "worker": "{worker}-{tld}"}]));
    assert!(error.contains("any domain would match"), "{error}");
}

/// Pitfall 5: internationalised hosts never matched (compared as Unicode, received as punycode).
#[test]
fn pitfall_5_international_hosts_match_as_they_arrive() {
    let router = with_routes(&json!([{"pattern": "xn--mller-kva.example", "worker": "mueller"}]));
    let arrives = url::Url::parse("https://M\u{fc}ller.example/").unwrap();
    assert_eq!(arrives.host_str(), Some("xn--mller-kva.example"));
    assert_eq!(outcome(&router, arrives.as_str()), "production/mueller");
    let error = load_error(&json!([{"pattern": "m\u{fc}ller.example", "worker": "mueller"}]));
    assert!(error.contains("requests carry punycode"), "{error}");
}

/// Pitfall 6: no handling of case, a trailing dot or a port.
#[test]
fn pitfall_6_case_a_trailing_dot_and_a_port_are_ignored() {
    for host in [
        "Staging.Agents.DO",
        "staging.agents.do.",
        "staging.agents.do:8443",
        "STAGING.agents.do.:80",
    ] {
        assert_eq!(outcome(&builtin(), host), "staging/agents", "{host}");
    }
}

/// Pitfall 9: the answer for an unknown host listed every internal service.
#[test]
fn pitfall_9_a_refusal_lists_nothing() {
    let router =
        with_routes(&json!([{"pattern": "internal-billing.example.com", "worker": "internal-billing"}]));
    let refusal = router.route("https://unknown.example.com/").unwrap_err();
    assert!(refusal.rule().is_none());
    assert_eq!(refusal.reason().to_string(), "no rule serves this host");
}

/// Another dispatcher had one identical 404 for every error, which misled people for days.
#[test]
fn refusals_of_different_kinds_have_different_codes() {
    check(
        &builtin(),
        &[
            ("agents.example.com", "HOST_UNKNOWN"),
            ("qa.agents.do", "ENVIRONMENT_UNKNOWN"),
            ("staging.do", "WORKER_NAME_INVALID"),
        ],
    );
}
