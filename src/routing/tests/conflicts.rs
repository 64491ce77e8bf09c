//! Unreachable rules: an error that names the rule and the one that shadows it.

use dispatcher::routing::{Localhost, Router};
use serde_json::{Value, json};

use crate::outcome::{check, load_error, with_routes};

/// Two rules with these patterns, whose targets use every capture and the environment that the host names.
fn pair(earlier: &str, later: &str) -> Value {
    let rule = |pattern: &str| {
        let captures: Vec<&str> = pattern
            .split('{')
            .skip(1)
            .filter_map(|text| text.split('}').next())
            .collect();
        let worker: String = captures
            .iter()
            .filter(|name| **name != "env")
            .fold(String::from("x"), |worker, name| worker + "{" + name + "}x");
        let environment = match pattern {
            _ if captures.contains(&"env") => "{env}",
            _ if pattern.contains("staging") => "staging",
            _ => "production",
        };
        json!({"pattern": pattern, "worker": worker, "environment": environment})
    };
    json!([rule(earlier), rule(later)])
}

#[test]
fn an_unreachable_rule_is_an_error_that_names_both_rules() {
    for (earlier, later) in [
        ("a.example.com", "a.example.com"),
        ("a.example.com", "a.example.com/x"),
        ("a.example.com", "a.example.com/x/*"),
        ("a.example.com/*", "a.example.com"),
        ("a.example.com/x/*", "a.example.com/x"),
        ("a.example.com/x/*", "a.example.com/x/y/*"),
        ("a.example.com/{x}", "a.example.com/y"),
        ("a.example.com/{x}/*", "a.example.com/{y}/z"),
        ("{worker}.example.com", "a.example.com"),
        ("{worker}.example.com", "{x}.example.com/y"),
        ("{worker}.example.com", "{x}-{y}.example.com"),
        ("{worker}.example.com", "{x}--{env}.example.com"),
        ("{worker}.example.com", "staging.example.com"),
        ("{x}-{y}.example.com", "{x}--{y}.example.com"),
        ("{x}-{y}.example.com", "a-{y}.example.com"),
        ("pre-{x}.example.com", "pre-{x}-post.example.com"),
        ("{x}.{env}.example.com", "{x}.staging.example.com"),
        ("{x}.{env}.example.com", "a.{env}.example.com"),
    ] {
        let error = load_error(&pair(earlier, later));
        assert_eq!(
            error,
            format!(
                "ROUTES[1] `{later}` is unreachable, because ROUTES[0] `{earlier}` matches every request that it matches: \
                 move it in front of that rule, or remove it"
            )
        );
    }
}

#[test]
fn a_specific_rule_in_front_of_a_general_one_is_no_conflict() {
    for (earlier, later) in [
        ("a.example.com/x", "a.example.com"),
        ("a.example.com/x", "a.example.com/x/*"),
        ("a.example.com/", "a.example.com"),
        ("a.example.com", "{worker}.example.com"),
        ("{x}-{y}.example.com", "{worker}.example.com"),
        ("{x}--{y}.example.com", "{x}-{y}.example.com"),
        ("{env}.example.com", "{worker}.example.com"),
        ("{x}.staging.example.com", "{x}.{env}.example.com"),
        ("{worker}.example.com", "a_b.example.com"),
        ("a.example.com/{x}", "a.example.com/A"),
        ("a.example.com/{x}", "a.example.com/{x}/{y}"),
        ("a.example.com/{x}/y", "a.example.com/{x}/*"),
        ("{worker}.example.com", "{worker}.example.org"),
        ("{worker}.example.com", "a.{worker}.example.com"),
        ("example.com", "evilexample.com"),
        ("pre-{x}-post.example.com", "pre-{x}.example.com"),
        ("{x}-{y}.example.com", "-{y}.example.com"),
    ] {
        with_routes(&pair(earlier, later));
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let router = with_routes(&json!([
        {"pattern": "a.example.com/x/*", "worker": "first"},
        {"pattern": "{worker}.example.com/x/y", "worker": "{worker}"},
        {"pattern": "{worker}.example.com", "worker": "last-{worker}"},
    ]));
    check(
        &router,
        &[
            ("a.example.com/x/y", "production/first"),
            ("b.example.com/x/y", "production/b"),
            ("a.example.com/y", "production/last-a"),
        ],
    );
}

#[test]
fn a_built_in_rule_may_be_shadowed() {
    let router = with_routes(&json!([
        {"pattern": "agents.do", "worker": "other"},
        {"pattern": "{worker}.do/internal/*", "worker": "{worker}-internal"},
    ]));
    check(
        &router,
        &[
            ("agents.do", "production/other"),
            ("agents.do/internal/x", "production/other"),
            ("tasks.do/internal/x", "production/tasks-internal"),
            ("tasks.do", "production/tasks"),
            ("staging.agents.do", "staging/agents"),
        ],
    );
}

#[test]
fn a_mirrored_rule_conflicts_with_nothing() {
    let rules = json!([
        {"pattern": "agents.localhost", "worker": "local"},
        {"pattern": "agents.do", "worker": "deployed"},
    ]);
    let router = Router::with_routes(&rules.to_string(), Localhost::MirrorsDo).unwrap();
    check(
        &router,
        &[
            ("agents.localhost", "production/local"),
            ("agents.do", "production/deployed"),
        ],
    );
}
