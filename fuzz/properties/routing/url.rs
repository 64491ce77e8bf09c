//! Any text as the URL of a request, with the built-in rules and with rules of every kind in front of them.

use std::sync::LazyLock;

use dispatcher::routing::{Host, InvalidHost, Localhost, Route, Router};
use dotdo_names::Environment;

use super::isolation::{host_of, names_unknown_environment};
use super::{decision, location};

/// Rules of every kind.
const ROUTES: &str = r#"[
    {"pattern": "{tenant}.{app}.example.com", "worker": "{tenant}-{app}"},
    {"pattern": "{tenant}.{app}.{env}.example.com/v{major}/*", "worker": "{tenant}-{app}-v{major}", "environment": "{env}",
     "strip_prefix": true},
    {"pattern": "example.com/a/{worker}/b/*", "worker": "{worker}", "strip_prefix": true, "limits": {"cpu_ms": 50}},
    {"pattern": "example.com/a/{worker}", "worker": "{worker}", "outbound": {"tenant": "x"}},
    {"pattern": "example.com/", "worker": "home"},
    {"pattern": "pre-{worker}-post.example.com", "worker": "{worker}", "environment": "development"},
    {"pattern": "xn--mller-kva.example", "worker": "mueller"},
    {"pattern": "admin.do/console/*", "worker": "console", "strip_prefix": true}
]"#;

static ROUTERS: LazyLock<[(Router, bool); 3]> = LazyLock::new(|| {
    let routes = Router::with_routes(ROUTES, Localhost::MirrorsDo).expect("the rules load");
    [
        (Router::builtin(Localhost::Unserved), true),
        (Router::builtin(Localhost::MirrorsDo), true),
        (routes, false),
    ]
});

/// Checks the properties of any URL.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    check_text(text);
    location::check(text);
    // Also as a runtime normalises the URL, because more is known about such a URL.
    if let Ok(url) = ::url::Url::parse(text)
        && matches!(url.scheme(), "http" | "https")
    {
        check_text(url.as_str());
        check_host(&url);
    }
}

fn check_text(url: &str) {
    for (router, builtin_only) in &*ROUTERS {
        let decision = decision::check(router, url);
        if *builtin_only {
            check_production(decision.as_ref().ok(), url);
        }
        if decision.is_ok() || decision.as_ref().is_err_and(|refusal| refusal.host().is_some()) {
            check_equivalents(router, url);
        }
    }
}

fn check_production(route: Option<&Route<'_>>, url: &str) {
    let host = host_of(url).unwrap_or_default();
    if route.is_some_and(|route| route.environment() == Environment::Production) {
        assert!(
            !names_unknown_environment(&host),
            "{url} names an unknown environment"
        );
    }
}

/// Case, one trailing dot, port, user information and scheme do not change the decision.
fn check_equivalents(router: &Router, url: &str) {
    let host = host_of(url).expect("the host was read");
    let behind = &url[url.find("://").map_or(0, |at| at + 3)..];
    let target = &behind[behind.find(['/', '?', '#']).unwrap_or(behind.len())..];
    let plain = format!("https://{host}{target}");
    let expected = without_url(router, &plain);
    assert_eq!(without_url(router, url), expected, "{url} as {plain}");
    for other in [
        format!("HTTP://{}{target}", host.to_ascii_uppercase()),
        format!("https://{host}.{target}"),
        format!("https://{host}:8787{target}"),
        format!("https://staging.agents.do:x@{host}.:65535{target}"),
    ] {
        assert_eq!(without_url(router, &other), expected, "{plain} as {other}");
    }
}

/// The parts of a decision that do not depend on how the host is written: rule, environment, Worker and rewritten path,
/// or code and reason.
fn without_url(router: &Router, url: &str) -> String {
    match router.route(url) {
        Ok(route) => format!(
            "{} {} {} {:?}",
            route.rule(),
            route.environment(),
            route.worker(),
            route
                .stripped()
                .map(|stripped| stripped.rewritten_path().into_owned())
        ),
        Err(refusal) => format!("{} {}", refusal.code(), refusal.reason()),
    }
}

/// The parsed host is the host that the URL standard reads.
fn check_host(url: &::url::Url) {
    let host = url.host_str().expect("http has a host");
    let authority = url.authority();
    match (url.host(), Host::parse(authority)) {
        (Some(::url::Host::Domain(_)), Ok(read)) => {
            assert_eq!(read.normalized(), host.strip_suffix('.').unwrap_or(host), "{url}");
        }
        (Some(::url::Host::Domain(_)), Err(reason)) => {
            assert_ne!(reason, InvalidHost::Port, "{url}");
            assert_ne!(reason, InvalidHost::Address, "{url}");
        }
        (_, read) => assert_eq!(read, Err(InvalidHost::Address), "{url}"),
    }
}
