//! `wrangler deploy --env prod`, which sends the name `agents-prod`.

use futures_executor::block_on;
use serde_json::json;

use super::platform::{Answered, Platform};
use super::wrangler_upload::Upload;

const UPLOAD: &str = "PUT A/workers/dispatch/namespaces/dotdo-staging/scripts/agents-prod";

fn deploy(platform: &Platform, token: &str) -> Answered {
    let (content_type, body) = Upload::of("1").form();
    block_on(platform.ask(token, UPLOAD, &[("Content-Type", &content_type)], body))
}

/// A rule of alice that names this Worker.
fn naming(worker: &str) -> Platform {
    Platform::with_rules(&[json!({
        "name": "named", "who": { "token": "alice" },
        "namespaces": ["dotdo-staging"], "workers": [worker], "actions": ["deploy"],
    })])
}

#[test]
fn a_first_deploy_of_a_name_with_a_suffix_beside_the_worker_needs_the_name_in_the_policy() {
    for (rule, status) in [("agents-*", 400), ("agents", 400), ("agents-prod", 200)] {
        let platform = naming(rule);
        let token = platform.alice("dotdo-staging");
        assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
        let answer = deploy(&platform, &token);
        assert_eq!(answer.status, status, "{rule}: {}", answer.text());
        if status == 400 {
            assert_eq!(answer.codes(), [740_141]);
            for part in ["--env prod", "\\\"name\\\": \\\"agents\\\"", "policy"] {
                assert!(answer.text().contains(part), "{part}: {}", answer.text());
            }
            assert_eq!(platform.history().last().unwrap(), "deploy denied");
        }
        platform.assert_reconciled();
    }
}

#[test]
fn without_the_other_worker_the_name_is_deployed_until_wrangler_sets_its_tag() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    assert_eq!(deploy(&platform, &token).status, 200);
    // Now it is not a first deploy.
    assert_eq!(platform.deploy(&token, &Upload::of("1")).status, 200);
    assert_eq!(deploy(&platform, &token).status, 200);
    let tagged = platform.call(
        &token,
        "PATCH A/workers/scripts/agents-prod/script-settings",
        r#"{"tags": ["cf:service=agents", "cf:environment=prod"]}"#,
    );
    assert_eq!(tagged.status, 200, "{}", tagged.text());
    let refused = deploy(&platform, &token);
    assert_eq!(refused.codes(), [740_141], "{}", refused.text());
    assert!(
        refused.text().contains("cf:environment=prod"),
        "{}",
        refused.text()
    );
}

#[test]
fn an_environment_whose_configuration_sets_the_name_is_deployed_again() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    let tagged = platform.call(
        &token,
        "PATCH A/workers/scripts/agents/script-settings",
        r#"{"tags": ["cf:service=agents", "cf:environment=staging"]}"#,
    );
    assert_eq!(tagged.status, 200, "{}", tagged.text());
    assert_eq!(platform.deploy(&token, &Upload::of("2")).status, 200);
}
