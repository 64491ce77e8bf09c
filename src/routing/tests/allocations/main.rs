//! A decision allocates only what it returns. The allocator of this test program counts.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken test setup may panic"
)]

use dispatcher::routing::{Localhost, Router};
use serde_json::{Value, json};

/// The number of allocations of one decision, after a first one.
fn allocations(router: &Router, url: &str) -> u64 {
    let _ = router.route(url);
    allocation_counter::measure(|| {
        let _ = router.route(url);
    })
    .count_total
}

fn with_rules(number: usize) -> Router {
    let rules: Vec<Value> = (0..number)
        .map(|number| json!({"pattern": format!("{{worker}}.tenant{number}.example.com"), "worker": "{worker}"}))
        .chain([
            json!({"pattern": "{a}.{b}.example.org", "worker": "{a}-{b}"}),
            json!({"pattern": "fixed.example.org/x/*", "worker": "fixed", "strip_prefix": true}),
        ])
        .collect();
    Router::with_routes(&Value::from(rules).to_string(), Localhost::MirrorsDo).expect("the rules load")
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(8))));
    assert_eq!(counted.count_total, 1);
}

#[test]
fn a_decision_allocates_nothing() {
    for router in [
        Router::builtin(Localhost::MirrorsDo),
        with_rules(10),
        with_rules(10_000),
    ] {
        for url in [
            "https://agents.do/x?q",
            "https://www.agents.do/",
            "https://staging.agents.do:8787/x",
            "https://agents.staging.do./",
            "https://agents.apis.do/",
            "https://agents--staging.apis.do/",
            "https://apis.do/agents/x?q",
            "https://staging.apis.do/agents/x",
            "http://agents.localhost:8787/",
            "https://user:password@agents.do/",
            "https://agents.tenant7.example.com/",
            "https://fixed.example.org/x/y",
            // Refusals as well.
            "https://shop.example.net/",
            "https://qa.agents.do/",
            "https://a--qa.apis.do/",
            "https://com.do/",
            "https://127.0.0.1/",
            "https://a..do/",
            "https://agents.do:x/",
            "ftp://agents.do/",
            "https://UNKNOWN.example.net/",
        ] {
            assert_eq!(allocations(&router, url), 0, "{url}");
        }
    }
}

#[test]
fn only_a_name_that_is_not_in_the_url_is_allocated() {
    let router = with_rules(10);
    for url in [
        "https://a.b.example.org/",
        "https://AGENTS.do/",
        "https://Com.do/",
    ] {
        assert_eq!(allocations(&router, url), 1, "{url}");
    }
}

#[test]
fn a_rewritten_url_is_one_allocation() {
    let router = with_rules(10);
    let url = "https://apis.do/agents/x?q";
    let counted = allocation_counter::measure(|| {
        let route = router.route(url).expect("a route");
        let stripped = route.stripped().expect("a prefix");
        assert_eq!(stripped.prefix(), "/agents");
        assert_eq!(stripped.rewritten_url(), "https://apis.do/x?q");
    });
    assert_eq!(counted.count_total, 1);
}
