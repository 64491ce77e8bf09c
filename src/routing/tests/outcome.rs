use dispatcher::routing::{Localhost, Router};

/// The decision for a URL: `environment/worker`, followed by ` at PREFIX as URL` if a prefix is stripped; or an error
/// code. The URL may lack `https://`.
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

/// The built-in rules, as in the deployed Worker.
pub fn builtin() -> Router {
    Router::builtin(Localhost::Unserved)
}

/// A router with these rules in front of the built-in ones.
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
