use thiserror::Error;

use crate::routing::{Localhost, Router, RulesError};

/// Why the Worker's variables cannot be loaded. Every request is refused then: no rule may be left out in silence.
#[derive(Debug, Error)]
pub enum ConfigurationError {
    /// `ROUTES`.
    #[error("{0}")]
    Routes(#[from] RulesError),
    /// `LOCALHOST`.
    #[error(
        "LOCALHOST is `{0}`: write `do`, so that the rules under .do hold under .localhost, or leave it out"
    )]
    Localhost(String),
}

/// Makes the router that the variables ask for: `ROUTES`, rules in front of the built-in ones; and `LOCALHOST`, which a
/// developer's machine sets to `do`.
///
/// # Errors
/// A variable that is there has to be right.
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
    fn without_variables_only_the_built_in_rules_hold() {
        let router = router(None, None).unwrap();
        assert!(router.route("https://agents.do/").is_ok());
        assert!(router.route("http://agents.localhost:8787/").is_err());
    }

    #[test]
    fn on_a_developers_machine_localhost_mirrors_do() {
        let router = router(None, Some("do")).unwrap();
        assert!(router.route("http://agents.localhost:8787/").is_ok());
    }

    #[test]
    fn a_variable_that_is_wrong_is_told() {
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
