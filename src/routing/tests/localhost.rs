//! `.localhost`, on a developer's machine and in the deployed Worker.

use dispatcher::routing::{Localhost, Router};
use serde_json::json;

use crate::outcome::{builtin, check, outcome};

#[test]
fn every_rule_under_do_also_matches_under_localhost() {
    let router = Router::builtin(Localhost::MirrorsDo);
    check(
        &router,
        &[
            ("http://agents.localhost:8787/x", "production/agents"),
            ("http://www.agents.localhost:8787", "production/agents"),
            ("http://staging.agents.localhost:8787", "staging/agents"),
            ("http://agents.dev.localhost:8787", "development/agents"),
            ("http://agents.apis.localhost:8787", "production/agents"),
            ("http://agents--staging.apis.localhost:8787", "staging/agents"),
            (
                "http://apis.localhost:8787/agents/x",
                "production/agents at /agents as http://apis.localhost:8787/x",
            ),
            (
                "http://staging.apis.localhost:8787/agents/x",
                "staging/agents at /agents as http://staging.apis.localhost:8787/x",
            ),
            ("http://qa.agents.localhost:8787", "ENVIRONMENT_UNKNOWN"),
            ("http://staging.localhost:8787", "WORKER_NAME_INVALID"),
            ("http://localhost:8787", "HOST_UNKNOWN"),
            ("https://agents.do", "production/agents"),
        ],
    );
}

#[test]
fn the_deployed_worker_does_not_serve_localhost() {
    check(&builtin(), &[("http://agents.localhost:8787/", "HOST_UNKNOWN")]);
}

#[test]
fn the_rules_of_routes_are_mirrored_in_front_of_the_built_in_ones() {
    let rules = json!([
        {"pattern": "agents.do/x/*", "worker": "x", "strip_prefix": true},
        {"pattern": "{worker}.example.com", "worker": "{worker}"},
        {"pattern": "tasks.localhost", "worker": "local-tasks"},
        {"pattern": "tasks.do", "worker": "deployed-tasks"},
    ]);
    let router = Router::with_routes(&rules.to_string(), Localhost::MirrorsDo).unwrap();
    check(
        &router,
        &[
            (
                "http://agents.localhost/x/y",
                "production/x at /x as http://agents.localhost/y",
            ),
            ("http://agents.localhost/y", "production/agents"),
            ("http://tasks.localhost", "production/local-tasks"),
            ("https://tasks.do", "production/deployed-tasks"),
            ("http://a.example.localhost", "ENVIRONMENT_UNKNOWN"),
        ],
    );
    let unserved = Router::with_routes(&rules.to_string(), Localhost::Unserved).unwrap();
    assert_eq!(outcome(&unserved, "http://agents.localhost/x/y"), "HOST_UNKNOWN");
    assert_eq!(
        outcome(&unserved, "http://tasks.localhost/"),
        "production/local-tasks"
    );
}
