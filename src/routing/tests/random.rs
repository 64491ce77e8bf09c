//! Properties of routing, checked with random inputs.

use dispatcher::routing::{Localhost, Origin, Router, RulesProblem};
use dotdo_names::Environment;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::outcome::builtin;
use crate::properties::{self, decision, isolation};

/// Words of hosts, rules and environments.
const WORDS: [&str; 18] = [
    "agents",
    "apis",
    "www",
    "staging",
    "dev",
    "development",
    "qa",
    "com",
    "do",
    "localhost",
    "example",
    "a",
    "a-b",
    "a--staging",
    "staging--a",
    "x--qa",
    "xn--mller-kva",
    "",
];

/// A label or segment: one of these words, or a random one.
fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&WORDS[..]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9_-]{1,8}",
    ]
}

fn host() -> impl Strategy<Value = String> {
    let end = select(
        &[
            "do",
            "apis.do",
            "localhost",
            "example.com",
            "b.example.com",
            "DO.",
        ][..],
    );
    (prop::collection::vec(label(), 0..4), end).prop_map(|(mut labels, end)| {
        labels.push(end.to_owned());
        labels.join(".")
    })
}

fn url() -> impl Strategy<Value = String> {
    (host(), prop::collection::vec(label(), 0..4), "[:@/?#0-9]{0,3}")
        .prop_map(|(host, path, behind)| format!("https://{host}{behind}/{}", path.join("/")))
}

/// A label or segment of a pattern; captures get their names later.
fn part() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "a", "b", "x", "*", "*", "*-*", "*--*", "pre-*", "*-post", "a*b*", "ENV", "*--ENV", "staging",
        ][..],
    )
}

/// A rule, valid or not.
fn rule() -> impl Strategy<Value = Value> {
    let path = prop::option::of((prop::collection::vec(part(), 0..3), any::<bool>()));
    let end = select(&["example.com", "do", "apis.do"][..]);
    (prop::collection::vec(part(), 0..3), end, path, any::<bool>()).prop_map(|(labels, end, path, strip)| {
        let mut pattern = [labels.as_slice(), &[end]].concat().join(".");
        if let Some((segments, open)) = path {
            for segment in segments {
                pattern = format!("{pattern}/{segment}");
            }
            if open {
                pattern.push_str("/@");
            }
        }
        let mut worker = String::from("w");
        for name in ["c1", "c2", "c3", "c4", "c5", "c6"] {
            if pattern.contains('*') {
                pattern = pattern.replacen('*', &format!("{{{name}}}"), 1);
                worker = format!("{worker}{{{name}}}");
            }
        }
        let environment = if pattern.contains("ENV") {
            "{env}"
        } else if pattern.contains("staging") {
            "staging"
        } else {
            "production"
        };
        let pattern = pattern.replace("ENV", "{env}").replace('@', "*");
        json!({"pattern": pattern, "worker": worker, "environment": environment, "strip_prefix": strip})
    })
}

/// A router with as many of the rules as load together.
fn loaded(rules: Vec<Value>) -> Router {
    let mut kept = Vec::new();
    for rule in rules {
        kept.push(rule);
        if Router::with_routes(&Value::from(kept.clone()).to_string(), Localhost::Unserved).is_err() {
            kept.pop();
        }
    }
    Router::with_routes(&Value::from(kept).to_string(), Localhost::MirrorsDo).expect("the rules load")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_as_a_url_has_the_properties(text in any::<String>()) {
        properties::url::check(text.as_bytes());
    }

    #[test]
    fn any_host_and_path_have_the_properties(url in url()) {
        properties::url::check(url.as_bytes());
    }

    #[test]
    fn any_text_as_routes_has_the_properties(text in any::<String>()) {
        properties::routes::check(text.as_bytes());
    }

    #[test]
    fn the_index_agrees_with_trying_every_rule(rules in prop::collection::vec(rule(), 0..8), urls in prop::collection::vec(url(), 1..8)) {
        let router = loaded(rules);
        for url in &urls {
            let _ = decision::check(&router, url);
        }
    }

    #[test]
    fn a_host_that_names_an_environment_is_never_production(url in url(), rules in prop::collection::vec(rule(), 0..4)) {
        let host = isolation::host_of(&url).unwrap();
        let named = isolation::environments_of(&host);
        for router in [builtin(), loaded(rules)] {
            if let Ok(route) = router.route(&url) {
                prop_assert!(named.iter().all(|environment| *environment == route.environment()), "{}", url);
            }
        }
    }

    #[test]
    fn an_unknown_environment_is_never_production(label in "[a-z0-9]{1,12}", worker in "[a-z]{1,8}") {
        prop_assume!(Environment::from_host_label(&label).is_none() && label != "www" && label != "apis");
        prop_assume!(worker != "apis" && Environment::from_host_label(&worker).is_none());
        for host in [
            format!("{label}.{worker}.do"),
            format!("{worker}.{label}.do"),
            format!("{worker}--{label}.apis.do"),
        ] {
            if worker == "www" && host.starts_with("www.") {
                continue;
            }
            prop_assert!(builtin().route(&format!("https://{host}/")).is_err(), "{}", host);
        }
    }

    /// A rule is rejected as unreachable only if the other one matches every request that it matches.
    #[test]
    fn an_unreachable_rule_routes_no_request_that_the_other_does_not_match(earlier in rule(), later in rule(), urls in prop::collection::vec(url(), 1..16)) {
        let load = |rules: Value| Router::with_routes(&rules.to_string(), Localhost::Unserved);
        let unreachable = load(json!([earlier, later])).is_err_and(|error| {
            error.problems().all(|problem| matches!(problem, RulesProblem::Unreachable { .. }))
        });
        if !unreachable {
            return Ok(());
        }
        let (earlier, later) = (load(json!([earlier])).unwrap(), load(json!([later])).unwrap());
        let wins = |router: &Router, url: &str| {
            router.route(url).is_ok_and(|route| route.rule().origin() == Origin::Routes(0))
        };
        let decides = |router: &Router, url: &str| match router.route(url) {
            Ok(route) => route.rule().origin() == Origin::Routes(0),
            Err(refusal) => refusal.rule().is_some_and(|rule| rule.origin() == Origin::Routes(0)),
        };
        for url in urls {
            prop_assert!(!wins(&later, &url) || decides(&earlier, &url), "{}", url);
        }
    }
}
