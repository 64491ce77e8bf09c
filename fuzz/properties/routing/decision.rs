//! Properties of one decision, whatever the rules are.

use dispatcher::routing::{Refusal, Route, Router};
use dotdo_names::WorkerName;

use super::isolation::{environments_of, host_of};

/// A decision as one line of text.
pub fn summary(decision: &Result<Route<'_>, Refusal<'_>>) -> String {
    match decision {
        Ok(route) => format!(
            "{} {}/{} {:?}",
            route.rule(),
            route.environment(),
            route.worker(),
            route.stripped().map(|stripped| (
                stripped.prefix().to_owned(),
                stripped.rewritten_url(),
                stripped.rewritten_path().into_owned()
            ))
        ),
        Err(refusal) => {
            let rule = refusal.rule().map(ToString::to_string);
            let host = refusal.host().map(|host| host.normalized().into_owned());
            format!("{} {rule:?} {host:?} {}", refusal.code(), refusal.reason())
        }
    }
}

/// Checks one decision and returns it.
pub fn check<'a>(router: &'a Router, url: &'a str) -> Result<Route<'a>, Refusal<'a>> {
    let decision = router.route(url);
    assert_eq!(
        summary(&decision),
        summary(&router.route_by_scan(url)),
        "the index disagrees with trying every rule: {url}"
    );
    match &decision {
        Ok(route) => check_route(route, url),
        Err(refusal) => assert!(!refusal.reason().to_string().is_empty()),
    }
    let explanation = router.explain(url);
    assert_eq!(explanation.url, url);
    decision
}

fn check_route(route: &Route<'_>, url: &str) {
    assert_eq!(WorkerName::check(route.worker()), Ok(()), "{url}");
    let host = host_of(url).expect("a URL that is routed has a host");
    for environment in environments_of(&host) {
        assert_eq!(
            environment,
            route.environment(),
            "{url} names another environment"
        );
    }
    let Some(stripped) = route.stripped() else {
        return;
    };
    let (before, target) = split(url);
    let rest = target
        .strip_prefix(stripped.prefix())
        .expect("the prefix is the beginning of the path");
    assert!(
        stripped.prefix().starts_with('/') && !stripped.prefix().ends_with('/'),
        "{url}"
    );
    assert!(
        rest.is_empty() || rest.starts_with(['/', '?', '#']),
        "{url}: {rest}"
    );
    let rewritten = stripped.rewritten_url();
    let (rewritten_before, rewritten_target) = split(&rewritten);
    assert_eq!(rewritten_target, stripped.rewritten_path(), "{url}");
    assert_eq!(
        rewritten_target.trim_start_matches('/'),
        rest.trim_start_matches('/'),
        "{url}"
    );
    assert!(rewritten_target.starts_with('/'), "{url}");
    assert!(
        !rewritten_before.contains('@'),
        "{url}: user information was passed on"
    );
    assert!(
        before.ends_with(rewritten_before.split_once("://").expect("a scheme").1),
        "{url} became {rewritten}"
    );
}

/// A URL up to the end of its authority, and what follows.
fn split(url: &str) -> (&str, &str) {
    let authority = url.find("://").expect("a routed URL has a scheme") + "://".len();
    let target = url[authority..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| authority + at);
    url.split_at(target)
}
