//! The platform's own rules, as tables.

use dispatcher::routing::{Localhost, Router};

/// What a URL without scheme leads to: `environment/worker`, with ` as URL` if the path was rewritten; or an error code.
fn outcome(router: &Router, url: &str) -> String {
    let url = format!("https://{url}");
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

fn check(router: &Router, table: &[(&str, &str)]) {
    for (url, expected) in table {
        assert_eq!(outcome(router, url), *expected, "{url}");
    }
}

#[test]
fn every_row_of_the_routing_table() {
    check(
        &Router::builtin(Localhost::Unserved),
        &[
            ("agents.do", "production/agents"),
            ("agents.do/", "production/agents"),
            ("agents.do/any/path?query", "production/agents"),
            ("www.agents.do", "production/agents"),
            ("staging.agents.do", "staging/agents"),
            ("dev.agents.do", "development/agents"),
            ("development.agents.do", "development/agents"),
            ("agents.staging.do", "staging/agents"),
            ("agents.dev.do", "development/agents"),
            ("agents.development.do", "development/agents"),
            ("agents.apis.do", "production/agents"),
            ("agents--staging.apis.do", "staging/agents"),
            ("agents--dev.apis.do", "development/agents"),
            ("apis.do", "production/apis"),
            ("apis.do/", "production/apis"),
            ("apis.do/?q", "production/apis"),
            ("apis.do/favicon.ico", "production/apis"),
            (
                "apis.do/agents",
                "production/agents at /agents as https://apis.do/",
            ),
            (
                "apis.do/agents/",
                "production/agents at /agents as https://apis.do/",
            ),
            (
                "apis.do/agents/x?q",
                "production/agents at /agents as https://apis.do/x?q",
            ),
            (
                "apis.do/agents?q",
                "production/agents at /agents as https://apis.do/?q",
            ),
            (
                "apis.do/agents#f",
                "production/agents at /agents as https://apis.do/#f",
            ),
            ("staging.apis.do", "staging/apis"),
            ("staging.apis.do/favicon.ico", "staging/apis"),
            (
                "staging.apis.do/agents/x",
                "staging/agents at /agents as https://staging.apis.do/x",
            ),
            (
                "dev.apis.do/agents/x",
                "development/agents at /agents as https://dev.apis.do/x",
            ),
        ],
    );
}
