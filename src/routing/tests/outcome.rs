use dispatcher::routing::{Localhost, Router};

/// What a URL leads to: `environment/worker`, with ` at PREFIX as URL` if the path was rewritten; or an error code.
/// `https://` may be left out.
pub fn outcome(router: &Router, url: &str) -> String {
    let has_scheme = url.find("://").is_some_and(|at| !url[..at].contains('/'));
    let url = if has_scheme {
        url.to_owned()
    } else {
        format!("https://{url}")
    };
    match router.route(&url) {
        Ok(route) => {
            let target = format!("{}/{}", route.environment(), route.worker());
            match route.stripped() {
                Some(stripped) => {
                    format!(
                        "{target} at {} as {}",
                        stripped.prefix(),
                        stripped.rewritten_url()
                    )
                }
                None => target,
            }
        }
        Err(refusal) => refusal.code().to_string(),
    }
}

/// Checks each row: a URL and its outcome.
pub fn check(router: &Router, table: &[(&str, &str)]) {
    for (url, expected) in table {
        assert_eq!(outcome(router, url), *expected, "{url}");
    }
}

/// The built-in rules, as they are deployed.
pub fn builtin() -> Router {
    Router::builtin(Localhost::Unserved)
}

/// A router with rules of its own in front.
pub fn with_routes(routes: &serde_json::Value) -> Router {
    Router::with_routes(&routes.to_string(), Localhost::Unserved).unwrap_or_else(|error| panic!("{error}"))
}

/// Why the rules cannot be loaded.
pub fn load_error(routes: &serde_json::Value) -> String {
    Router::with_routes(&routes.to_string(), Localhost::Unserved)
        .map(|_| ())
        .expect_err(&routes.to_string())
        .to_string()
}
