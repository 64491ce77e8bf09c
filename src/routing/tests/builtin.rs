//! The built-in rules, as tables.

use crate::outcome::{builtin, check};

#[test]
fn every_row_of_the_routing_table() {
    check(
        &builtin(),
        &[
            ("agents.do", "production/agents"),
            ("agents.do/", "production/agents"),
            ("agents.do/any/path?query", "production/agents"),
            ("www.agents.do", "production/agents"),
            ("staging.agents.do", "staging/agents"),
            ("dev.agents.do", "development/agents"),
            ("development.agents.do", "development/agents"),
            ("agents.staging.do", "staging/agents"),
            ("agents.dev.do", "development/agents"),
            ("agents.development.do", "development/agents"),
            ("agents.apis.do", "production/agents"),
            ("agents--staging.apis.do", "staging/agents"),
            ("agents--dev.apis.do", "development/agents"),
            ("apis.do", "production/apis"),
            ("apis.do/", "production/apis"),
            ("apis.do/?q", "production/apis"),
            ("apis.do/favicon.ico", "production/apis"),
            (
                "apis.do/agents",
                "production/agents at /agents as https://apis.do/",
            ),
            (
                "apis.do/agents/",
                "production/agents at /agents as https://apis.do/",
            ),
            (
                "apis.do/agents/x?q",
                "production/agents at /agents as https://apis.do/x?q",
            ),
            (
                "apis.do/agents?q",
                "production/agents at /agents as https://apis.do/?q",
            ),
            (
                "apis.do/agents#f",
                "production/agents at /agents as https://apis.do/#f",
            ),
            ("staging.apis.do", "staging/apis"),
            ("staging.apis.do/favicon.ico", "staging/apis"),
            (
                "staging.apis.do/agents/x",
                "staging/agents at /agents as https://staging.apis.do/x",
            ),
            (
                "dev.apis.do/agents/x",
                "development/agents at /agents as https://dev.apis.do/x",
            ),
        ],
    );
}

#[test]
fn every_row_of_the_routing_table_in_every_environment() {
    for (label, environment) in [
        ("staging", "staging"),
        ("dev", "development"),
        ("development", "development"),
    ] {
        for (url, expected) in [
            (format!("{label}.agents.do/x"), format!("{environment}/agents")),
            (format!("agents.{label}.do/x"), format!("{environment}/agents")),
            (
                format!("agents--{label}.apis.do/x"),
                format!("{environment}/agents"),
            ),
            (
                format!("{label}.apis.do/agents/x?q"),
                format!("{environment}/agents at /agents as https://{label}.apis.do/x?q"),
            ),
            (format!("{label}.apis.do/"), format!("{environment}/apis")),
            (format!("apis.{label}.do/agents/x"), format!("{environment}/apis")),
        ] {
            check(&builtin(), &[(&url, &expected)]);
        }
    }
}

#[test]
fn names_that_resemble_reserved_names_are_valid() {
    check(
        &builtin(),
        &[
            ("www.apis.do/agents", "production/apis"),
            ("production.do", "production/production"),
            ("agents-staging.apis.do", "production/agents-staging"),
            ("staging2.do", "production/staging2"),
            ("my-app-2.do", "production/my-app-2"),
            ("7.do", "production/7"),
            ("www.staging.do", "staging/www"),
        ],
    );
}

#[test]
fn a_reserved_or_malformed_name_is_an_error() {
    check(
        &builtin(),
        &[
            ("staging.do", "WORKER_NAME_INVALID"),
            ("dev.do", "WORKER_NAME_INVALID"),
            ("development.do", "WORKER_NAME_INVALID"),
            ("www.staging.apis.do", "HOST_UNKNOWN"),
            ("dev.staging.do", "WORKER_NAME_INVALID"),
            ("staging.staging.do", "WORKER_NAME_INVALID"),
            ("-agents.do", "WORKER_NAME_INVALID"),
            ("agents-.do", "WORKER_NAME_INVALID"),
            ("a--b.do", "WORKER_NAME_INVALID"),
            ("xn--mller-kva.do", "WORKER_NAME_INVALID"),
            ("apis.do/staging/x", "WORKER_NAME_INVALID"),
            ("apis.do/com/x", "WORKER_NAME_INVALID"),
            ("apis.do/a--staging/x", "WORKER_NAME_INVALID"),
            ("staging.apis.do/dev/x", "WORKER_NAME_INVALID"),
        ],
    );
}

#[test]
fn a_suffix_of_the_registry_is_never_a_worker_name() {
    for suffix in dotdo_names::REGISTRY_SUFFIXES {
        for url in [
            format!("{suffix}.do"),
            format!("www.{suffix}.do"),
            format!("staging.{suffix}.do"),
            format!("{suffix}.staging.do"),
            format!("{suffix}.apis.do"),
            format!("{suffix}--staging.apis.do"),
            format!("apis.do/{suffix}/x"),
        ] {
            check(&builtin(), &[(&url, "WORKER_NAME_INVALID")]);
        }
        check(
            &builtin(),
            &[(&format!("agents.{suffix}.do"), "ENVIRONMENT_UNKNOWN")],
        );
    }
}

#[test]
fn a_host_without_a_rule_is_unknown() {
    check(
        &builtin(),
        &[
            ("do", "HOST_UNKNOWN"),
            ("localhost", "HOST_UNKNOWN"),
            ("agents.localhost", "HOST_UNKNOWN"),
            ("example.com", "HOST_UNKNOWN"),
            ("a.staging.agents.do", "HOST_UNKNOWN"),
            ("agents.do.example.com", "HOST_UNKNOWN"),
            ("agents_x.do", "HOST_UNKNOWN"),
        ],
    );
}
