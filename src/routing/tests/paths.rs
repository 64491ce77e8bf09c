//! Paths: captures, stripped prefixes and rewritten URLs.

use serde_json::json;

use crate::outcome::{builtin, check, with_routes};

#[test]
fn a_segment_that_is_not_a_worker_name_belongs_to_the_worker_apis() {
    check(
        &builtin(),
        &[
            ("apis.do//agents", "production/apis"),
            ("apis.do/Agents/x", "production/apis"),
            ("apis.do/agents%2fx", "production/apis"),
            ("apis.do/agents%2Fx/y", "production/apis"),
            ("apis.do/%61gents/x", "production/apis"),
            ("apis.do/../agents", "production/apis"),
            ("apis.do/./agents", "production/apis"),
            ("apis.do/agents\\x", "production/apis"),
            ("apis.do/a_b/x", "production/apis"),
            ("apis.do/robots.txt", "production/apis"),
            ("apis.do/.well-known/x", "production/apis"),
            ("apis.do/m\u{fc}ller/x", "production/apis"),
            ("apis.do/\0/x", "production/apis"),
            ("apis.do?/agents/", "production/apis"),
            ("apis.do#/agents/", "production/apis"),
        ],
    );
}

#[test]
fn a_prefix_is_stripped_whatever_follows_it() {
    check(
        &builtin(),
        &[
            ("apis.do/a//b", "production/a at /a as https://apis.do//b"),
            (
                "apis.do/a//evil.example/x",
                "production/a at /a as https://apis.do//evil.example/x",
            ),
            (
                "apis.do/a/https://evil.example/",
                "production/a at /a as https://apis.do/https://evil.example/",
            ),
            (
                "apis.do/a/@evil.example/",
                "production/a at /a as https://apis.do/@evil.example/",
            ),
            (
                "apis.do/a/\\evil.example",
                "production/a at /a as https://apis.do/\\evil.example",
            ),
            (
                "apis.do/a/%2e%2e/b",
                "production/a at /a as https://apis.do/%2e%2e/b",
            ),
            ("apis.do/a/a/a", "production/a at /a as https://apis.do/a/a"),
            ("apis.do/a?/b/c", "production/a at /a as https://apis.do/?/b/c"),
            ("apis.do/a#/b", "production/a at /a as https://apis.do/#/b"),
            ("apis.do/a/?x=/y", "production/a at /a as https://apis.do/?x=/y"),
        ],
    );
}

#[test]
fn a_rewritten_url_keeps_scheme_host_and_port_but_not_user_information() {
    check(
        &builtin(),
        &[
            (
                "http://APIS.do.:8787/a/b",
                "production/a at /a as http://APIS.do.:8787/b",
            ),
            (
                "https://user:pass@apis.do/a/b",
                "production/a at /a as https://apis.do/b",
            ),
        ],
    );
}

#[test]
fn a_rule_strips_as_many_segments_as_it_has() {
    let router = with_routes(&json!([
        {"pattern": "example.com/v1/{worker}/api/*", "worker": "{worker}", "strip_prefix": true},
        {"pattern": "example.com/v2/{worker}/*", "worker": "{worker}"},
    ]));
    check(
        &router,
        &[
            (
                "example.com/v1/a/api/x/y?q",
                "production/a at /v1/a/api as https://example.com/x/y?q",
            ),
            (
                "example.com/v1/a/api",
                "production/a at /v1/a/api as https://example.com/",
            ),
            ("example.com/v1/a/apis", "HOST_UNKNOWN"),
            ("example.com/v1/a", "HOST_UNKNOWN"),
            ("example.com/v2/a/x", "production/a"),
        ],
    );
    let route = router.route("https://example.com/v1/a/api?q").unwrap();
    let stripped = route.stripped().unwrap();
    assert_eq!(stripped.prefix(), "/v1/a/api");
    assert_eq!(stripped.rewritten_path(), "/?q");
    let route = router.route("https://example.com/v1/a/api/?q").unwrap();
    assert_eq!(route.stripped().unwrap().rewritten_path(), "/?q");
}

#[test]
fn a_path_is_compared_exactly() {
    let router = with_routes(&json!([
        {"pattern": "a.example.com/", "worker": "root"},
        {"pattern": "a.example.com/x", "worker": "exact"},
        {"pattern": "a.example.com/x/", "worker": "slash"},
        {"pattern": "a.example.com/y/*", "worker": "open"},
        {"pattern": "a.example.com/a%20b/c~d", "worker": "encoded"},
        {"pattern": "b.example.com/*", "worker": "any"},
    ]));
    check(
        &router,
        &[
            ("a.example.com", "production/root"),
            ("a.example.com/", "production/root"),
            ("a.example.com/?q", "production/root"),
            ("a.example.com#f", "production/root"),
            ("a.example.com/x", "production/exact"),
            ("a.example.com/x?q", "production/exact"),
            ("a.example.com/X", "HOST_UNKNOWN"),
            ("a.example.com/xx", "HOST_UNKNOWN"),
            ("a.example.com/x/", "production/slash"),
            ("a.example.com/x//", "HOST_UNKNOWN"),
            ("a.example.com/x/y", "HOST_UNKNOWN"),
            ("a.example.com/y", "production/open"),
            ("a.example.com/y/", "production/open"),
            ("a.example.com/y/a/b", "production/open"),
            ("a.example.com/yy", "HOST_UNKNOWN"),
            ("a.example.com/a%20b/c~d", "production/encoded"),
            ("a.example.com/a b/c~d", "HOST_UNKNOWN"),
            ("b.example.com", "production/any"),
            ("b.example.com/x/y", "production/any"),
        ],
    );
}
