//! The header `Location` of a response to a request of which a prefix is stripped.

use dispatcher::routing::Router;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::outcome::{builtin, with_routes};
use crate::properties::location;

fn restored(router: &Router, url: &str, location: &str) -> Option<String> {
    let route = router.route(url).unwrap();
    route.stripped().unwrap().restore_location(location)
}

/// Checks each row: a location, and what the client gets instead.
fn check(url: &str, table: &[(&str, &str)]) {
    for (location, expected) in table {
        assert_eq!(
            restored(&builtin(), url, location).as_deref(),
            Some(*expected),
            "{location}"
        );
    }
}

/// Checks that each location is unchanged.
fn check_unchanged(url: &str, locations: &[&str]) {
    for location in locations {
        assert_eq!(restored(&builtin(), url, location), None, "{location:?}");
    }
}

/// A client resolves them, so that a path could leave the prefix otherwise.
#[test]
fn dot_segments_are_resolved_before_the_prefix_is_put_back() {
    check(
        "https://apis.do/agents/x",
        &[
            ("/../about", "/agents/about"),
            ("/%2e%2E/about", "/agents/about"),
            ("/agents/../about?a=../b", "/agents/about?a=../b"),
            ("/a/./b/../c", "/agents/a/c"),
            ("/a/..", "/agents/"),
            ("/..//evil.example", "/agents//evil.example"),
            ("https://apis.do/../about", "https://apis.do/agents/about"),
        ],
    );
    check_unchanged("https://apis.do/agents/x", &["/agents/./a", "/agents/a/../b"]);
}

#[test]
fn an_absolute_path_gets_the_prefix() {
    check(
        "https://apis.do/agents/x?q",
        &[
            ("/about", "/agents/about"),
            ("/", "/agents/"),
            ("/?page=2", "/agents/?page=2"),
            ("/#top", "/agents/#top"),
            ("/about?from=/x#y", "/agents/about?from=/x#y"),
            ("/a//b/", "/agents/a//b/"),
            (
                "/login?next=https://example.com/",
                "/agents/login?next=https://example.com/",
            ),
            ("/caf\u{e9}", "/agents/caf\u{e9}"),
            ("/agents2", "/agents/agents2"),
            ("/agents-x/y", "/agents/agents-x/y"),
            ("/Agents", "/agents/Agents"),
            ("/x/agents", "/agents/x/agents"),
        ],
    );
}

#[test]
fn a_url_of_the_same_host_gets_the_prefix() {
    check(
        "https://apis.do/agents/x",
        &[
            ("https://apis.do/about", "https://apis.do/agents/about"),
            ("//apis.do/about", "//apis.do/agents/about"),
            ("http://apis.do/about", "http://apis.do/agents/about"),
            ("HTTPS://APIS.do./about", "HTTPS://APIS.do./agents/about"),
            ("https://apis.do:443/about", "https://apis.do:443/agents/about"),
            ("https://apis.do:/about", "https://apis.do:/agents/about"),
            ("http://apis.do:80/about", "http://apis.do:80/agents/about"),
            ("//apis.do:443/about", "//apis.do:443/agents/about"),
            (
                "https://apis.do//evil.example/",
                "https://apis.do/agents//evil.example/",
            ),
        ],
    );
    check(
        "http://APIS.do:8787/agents/x",
        &[
            ("http://apis.do:8787/about", "http://apis.do:8787/agents/about"),
            ("https://apis.do:8787/about", "https://apis.do:8787/agents/about"),
        ],
    );
}

#[test]
fn an_empty_path_of_the_same_host_becomes_the_prefix() {
    check(
        "https://apis.do/agents/x",
        &[
            ("https://apis.do", "https://apis.do/agents"),
            ("https://apis.do/", "https://apis.do/agents/"),
            ("https://apis.do?page=2", "https://apis.do/agents?page=2"),
            ("//apis.do#top", "//apis.do/agents#top"),
        ],
    );
}

#[test]
fn a_location_with_the_prefix_is_unchanged() {
    check_unchanged(
        "https://apis.do/agents/x",
        &[
            "/agents",
            "/agents/",
            "/agents/about",
            "/agents?page=2",
            "/agents#top",
            "https://apis.do/agents",
            "//apis.do/agents/about",
        ],
    );
}

#[test]
fn a_relative_location_is_unchanged() {
    check_unchanged(
        "https://apis.do/agents/x",
        &[
            "",
            "about",
            "./about",
            "../about",
            "?page=2",
            "#top",
            "about/agents",
            "apis.do/about",
        ],
    );
}

#[test]
fn a_location_with_another_host_port_or_scheme_is_unchanged() {
    check_unchanged(
        "https://apis.do/agents/x",
        &[
            "https://example.com/about",
            "//example.com/about",
            "https://staging.apis.do/about",
            "https://apis.do.example.com/about",
            "https://xapis.do/about",
            "https://apis.do:8443/about",
            "http://apis.do:443/about",
            "https://apis.do:80/about",
            "https://apis.do..//about",
            "https://127.0.0.1/about",
            "https://[::1]/about",
            "ftp://apis.do/about",
            "wss://apis.do/about",
            "mailto:a@apis.do",
            "javascript:alert(1)",
            "https:/about",
            "https:about",
        ],
    );
    check_unchanged(
        "http://apis.do:8787/agents/x",
        &["http://apis.do/about", "//apis.do/about"],
    );
}

#[test]
fn a_location_that_a_parser_may_read_as_another_host_is_unchanged() {
    check_unchanged(
        "https://apis.do/agents/x",
        &[
            "/\\evil.example",
            "\\\\evil.example",
            "/x\\y",
            "///evil.example",
            "//",
            "////evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /about",
            "\0/about",
            "https:///evil.example",
            "https://apis.do\\evil.example/",
            "https://apis.do@evil.example/",
            "https://user:password@apis.do/about",
            "https://apis.do:x/about",
        ],
    );
}

#[test]
fn every_segment_of_the_prefix_is_put_back() {
    let router = with_routes(&json!([
        {"pattern": "example.com/v1/{worker}/api/*", "worker": "{worker}", "strip_prefix": true},
    ]));
    let url = "https://example.com/v1/a/api/x";
    assert_eq!(restored(&router, url, "/v1/a").as_deref(), Some("/v1/a/api/v1/a"));
    assert_eq!(
        restored(&router, url, "/v1/a/apis").as_deref(),
        Some("/v1/a/api/v1/a/apis")
    );
    assert_eq!(restored(&router, url, "/v1/a/api/y"), None);
}

fn location() -> impl Strategy<Value = String> {
    let front = select(
        &[
            "", "/", "//", "///", "https://", "http://", "https:", "HTTPS://", "https:/", " ", "\\",
        ][..],
    );
    let host = select(
        &[
            "",
            "apis.do",
            "APIS.do.",
            "apis.localhost:8787",
            "example.com",
            "example.com:443",
            "a@apis.do",
        ][..],
    );
    (front, host, "[/\\\\a-z.%@:?# \t]{0,12}").prop_map(|(front, host, rest)| [front, host, &rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_location_keeps_its_host_and_gets_the_prefix_once(location in location()) {
        location::check(&location);
    }

    #[test]
    fn any_text_as_a_location_keeps_its_host(text in any::<String>()) {
        location::check(&text);
    }
}
