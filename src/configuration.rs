use thiserror::Error;

use crate::routing::{Localhost, Router, RulesError};

/// Why the Worker's variables cannot be loaded. Every request is then answered with an error: to ignore a rule could send
/// its requests to another Worker.
#[derive(Debug, Error)]
pub enum ConfigurationError {
    /// `ROUTES`.
    #[error("{0}")]
    Routes(#[from] RulesError),
    /// `LOCALHOST`.
    #[error(
        "LOCALHOST is `{0}`: write `do` to apply the rules for .do to .localhost as well, or remove the variable"
    )]
    Localhost(String),
}

/// Creates the router for the variables: `ROUTES` has rules in front of the built-in ones; `LOCALHOST` is `do` on a
/// developer's machine.
///
/// # Errors
/// A variable is invalid.
pub fn router(routes: Option<&str>, localhost: Option<&str>) -> Result<Router, ConfigurationError> {
    let localhost = match localhost {
        None => Localhost::Unserved,
        Some("do") => Localhost::MirrorsDo,
        Some(other) => return Err(ConfigurationError::Localhost(other.to_owned())),
    };
    Ok(match routes {
        None => Router::builtin(localhost),
        Some(routes) => Router::with_routes(routes, localhost)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_variables_only_the_built_in_rules_apply() {
        let router = router(None, None).unwrap();
        assert!(router.route("https://agents.do/").is_ok());
        assert!(router.route("http://agents.localhost:8787/").is_err());
    }

    #[test]
    fn localhost_can_mirror_do() {
        let router = router(None, Some("do")).unwrap();
        assert!(router.route("http://agents.localhost:8787/").is_ok());
    }

    #[test]
    fn an_error_names_the_variable() {
        for (routes, localhost, expected) in [
            (Some("{"), None, "ROUTES is not a JSON array"),
            (Some(""), None, "ROUTES is not a JSON array"),
            (
                Some(r#"[{"pattern": "*.example.com", "worker": "a"}]"#),
                None,
                "ROUTES[0]",
            ),
            (None, Some("yes"), "LOCALHOST is `yes`"),
            (None, Some(""), "LOCALHOST is ``"),
        ] {
            let error = router(routes, localhost).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
