//! Environment isolation: a host that names an environment reaches that environment or gets an error, never production.

use dotdo_names::Environment;
use serde_json::json;

use crate::outcome::{builtin, check, outcome, with_routes};

#[test]
fn an_unknown_environment_is_an_error() {
    for label in [
        "qa",
        "prod",
        "production",
        "stage",
        "staging2",
        "test",
        "preview",
        "stagin",
        "develop",
        "1",
    ] {
        for url in [
            format!("{label}.agents.do"),
            format!("agents.{label}.do"),
            format!("agents--{label}.apis.do"),
        ] {
            assert_eq!(outcome(&builtin(), &url), "ENVIRONMENT_UNKNOWN", "{url}");
        }
    }
    check(
        &builtin(),
        &[
            ("agents--.apis.do", "WORKER_NAME_INVALID"),
            ("--staging.apis.do", "WORKER_NAME_INVALID"),
            ("agents---staging.apis.do", "ENVIRONMENT_UNKNOWN"),
            ("agents--staging--x.apis.do", "ENVIRONMENT_UNKNOWN"),
            ("agents--x--staging.apis.do", "ENVIRONMENT_UNKNOWN"),
            ("staging--agents.apis.do", "WORKER_NAME_INVALID"),
        ],
    );
}

#[test]
fn a_refusal_names_the_unknown_label_and_the_rule() {
    let router = builtin();
    for (url, label, pattern) in [
        ("https://qa.agents.do/", "qa", "{env}.{worker}.do"),
        ("https://agents--qa.apis.do/", "qa", "{worker}--{env}.apis.do"),
    ] {
        let refusal = router.route(url).unwrap_err();
        assert!(
            refusal
                .reason()
                .to_string()
                .starts_with(&format!("`{label}` is not an environment")),
            "{url}"
        );
        assert_eq!(refusal.rule().unwrap().pattern(), pattern);
    }
}

#[test]
fn a_rule_for_production_refuses_a_host_that_names_another_environment() {
    let router = with_routes(&json!([
        {"pattern": "{tenant}.{app}.example.com", "worker": "{tenant}-{app}"},
        {"pattern": "{a}--{b}.example.com", "worker": "{a}-{b}"},
        {"pattern": "sta{x}.example.org", "worker": "x-{x}"},
    ]));
    check(
        &router,
        &[
            ("a.b.example.com", "production/a-b"),
            ("staging.b.example.com", "ENVIRONMENT_UNKNOWN"),
            ("a.dev.example.com", "ENVIRONMENT_UNKNOWN"),
            ("a--development.example.com", "ENVIRONMENT_UNKNOWN"),
            ("dev--b.example.com", "ENVIRONMENT_UNKNOWN"),
            ("staging.example.org", "ENVIRONMENT_UNKNOWN"),
            ("start.example.org", "production/x-rt"),
        ],
    );
    let refusal = router.route("https://staging.b.example.com/").unwrap_err();
    assert_eq!(
        refusal.reason().to_string(),
        "the host names `staging`, but the rule that matches serves production"
    );
}

#[test]
fn two_environments_in_one_host_are_an_error() {
    let router = with_routes(&json!([
        {"pattern": "{a}.{b}.{env}.example.com", "worker": "{a}-{b}", "environment": "{env}"},
    ]));
    check(
        &router,
        &[
            ("x.y.staging.example.com", "staging/x-y"),
            ("x.staging.staging.example.com", "staging/x-staging"),
            ("x.dev.staging.example.com", "ENVIRONMENT_UNKNOWN"),
            ("staging.x.dev.example.com", "ENVIRONMENT_UNKNOWN"),
        ],
    );
    check(
        &builtin(),
        &[
            ("staging.dev.do", "WORKER_NAME_INVALID"),
            ("dev.staging.do", "WORKER_NAME_INVALID"),
            ("dev--staging.apis.do", "WORKER_NAME_INVALID"),
            ("staging.apis.do/dev/x", "WORKER_NAME_INVALID"),
        ],
    );
}

#[test]
fn a_top_level_domain_names_no_environment() {
    let router = with_routes(&json!([{"pattern": "{worker}.example.dev", "worker": "{worker}"}]));
    check(&router, &[("a.example.dev", "production/a")]);
}

#[test]
fn every_host_label_selects_its_environment() {
    for environment in Environment::ALL {
        for label in environment.host_labels() {
            let url = format!("https://{label}.agents.do/");
            let router = builtin();
            assert_eq!(router.route(&url).unwrap().environment(), environment);
        }
    }
}
