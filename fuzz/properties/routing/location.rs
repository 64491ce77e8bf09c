//! Any text as the header `Location` of a response to a request of which a prefix is stripped.

use std::sync::LazyLock;

use dispatcher::routing::{Localhost, Router, StrippedPrefix};

/// Requests of which a prefix is stripped.
const REQUESTS: [&str; 4] = [
    "https://apis.do/agents/x?q",
    "http://apis.localhost:8787/a/b",
    "https://STAGING.apis.do.:8443/agents",
    "https://example.com/v1.0/a/api/x",
];

static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let routes =
        r#"[{"pattern": "example.com/v1.0/{worker}/api/*", "worker": "{worker}", "strip_prefix": true}]"#;
    Router::with_routes(routes, Localhost::MirrorsDo).expect("the rules load")
});

/// Checks the properties of any value.
pub fn check(location: &str) {
    for url in REQUESTS {
        let route = ROUTER.route(url).expect("a rule matches");
        check_one(&route.stripped().expect("a prefix is stripped"), url, location);
    }
}

/// The client's path gets the prefix, once, and nothing else changes, and only if the value leads to the request's host.
fn check_one(stripped: &StrippedPrefix<'_>, url: &str, location: &str) {
    let Some(restored) = stripped.restore_location(location) else {
        return;
    };
    assert_eq!(stripped.restore_location(&restored), None, "{location}");

    let request = ::url::Url::parse(url).expect("a URL");
    let before = request
        .join(location)
        .expect("a location of the same host is a URL");
    let after = request.join(&restored).expect("the restored location is a URL");
    assert_eq!(host(&before), host(&request), "{location}");
    assert_eq!(
        &before[..::url::Position::BeforePath],
        &after[..::url::Position::BeforePath],
        "{location}"
    );
    let with_prefix = [stripped.prefix(), before.path()].concat();
    let is_apex = before.path() == "/" && after.path() == stripped.prefix();
    assert!(
        after.path() == with_prefix || is_apex,
        "{location} became {restored}"
    );
    assert_eq!(
        &before[::url::Position::AfterPath..],
        &after[::url::Position::AfterPath..],
        "{location}"
    );
}

/// A URL's host, without the dot that may end it.
fn host(url: &::url::Url) -> &str {
    let host = url.host_str().expect("http has a host");
    host.strip_suffix('.').unwrap_or(host)
}
