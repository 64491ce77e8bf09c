//! The examples in `docs/deploy-api.md` are valid: policies load, bodies can be parsed, calls are supported.

use deploy_api::gateway;
use deploy_api::identity::oidc::DEFAULT_AUDIENCE;
use deploy_api::policy::{GrantDocument, Policy};
use deploy_api::v1::{ROUTES, Route};
use serde_json::Value;

const MANUAL: &str = include_str!("../../docs/deploy-api.md");

/// The fenced code blocks of a language, without indentation.
fn blocks(language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = MANUAL.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != format!("```{language}") {
            continue;
        }
        let indentation = line.len() - line.trim_start().len();
        let block = lines.by_ref().take_while(|line| line.trim_start() != "```");
        found.push(
            block
                .map(|line| line.get(indentation..).unwrap_or_default().to_owned() + "\n")
                .collect(),
        );
    }
    found
}

/// The table rows whose first cell starts with `` `begin ``, as lists of cells.
fn rows(begin: &str) -> Vec<Vec<String>> {
    let begin = format!("| `{begin}");
    let rows = MANUAL.lines().filter(|line| line.starts_with(&begin));
    rows.map(|row| {
        row.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    })
    .collect()
}

#[test]
fn every_policy_loads_without_warnings() {
    let policies: Vec<_> = blocks("json")
        .into_iter()
        .filter(|block| block.contains("\"rules\""))
        .collect();
    assert!(policies.len() >= 4);
    for text in policies {
        let policy = Policy::load(&text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert_eq!(policy.warnings(), [], "{text}");
    }
}

#[test]
fn every_other_json_block_is_a_request_body() {
    for text in blocks("json") {
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        if let Some(grants) = body.get("grants") {
            let grants: Vec<GrantDocument> = serde_json::from_value(grants.clone()).unwrap();
            assert!(!grants.is_empty());
        } else {
            let known = ["rules", "identity", "why"];
            assert!(
                known.iter().any(|member| body.get(member).is_some()),
                "no call accepts this body: {text}"
            );
        }
    }
}

#[test]
fn the_table_of_calls_matches_the_routes() {
    let documented: Vec<_> = ["GET", "PUT", "POST", "DELETE"]
        .iter()
        .flat_map(|method| rows(&format!("{method} /v1")))
        .collect();
    assert_eq!(documented.len(), ROUTES.len());
    for route in ROUTES {
        let call = format!("`{} {}`", route.method, route.path);
        let row = documented
            .iter()
            .find(|row| row[0] == call)
            .unwrap_or_else(|| panic!("{call} is not in the table"));
        assert_eq!(row[1].starts_with("nothing"), route.is_open, "{call}: {}", row[1]);
        assert_eq!(row[2], route.operation.summary(), "{call}");
    }
}

#[test]
fn the_table_of_calls_of_cloudflares_api_matches_the_routes() {
    let mut documented: Vec<String> = ["GET", "PUT", "POST", "PATCH", "DELETE"]
        .iter()
        .flat_map(|method| rows(&format!("{method} ")))
        .flat_map(|row| {
            let calls = row[0].split(", ");
            calls
                .map(|call| call.trim_matches('`').to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|call| !call.contains(" /v1"))
        .map(|call| {
            let (method, path) = call.split_once(' ').unwrap();
            let script = "A/workers/dispatch/namespaces/{namespace}/scripts/{script}";
            let path = match path.strip_prefix('S') {
                Some(below) => format!("{script}{below}"),
                None => path.to_owned(),
            };
            let path = match path.strip_prefix('A') {
                Some(below) => format!("/accounts/{{account}}{below}"),
                None => path,
            };
            format!("{method} {path}")
        })
        .collect();
    documented.sort();
    let mut served: Vec<String> = gateway::Route::calls()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    served.sort();
    assert_eq!(documented, served);
}

#[test]
fn the_workflow_uses_the_configured_audience_and_the_existing_paths() {
    let [workflow, gitlab, buildkite]: [String; 3] = blocks("yaml").try_into().unwrap();
    assert!(workflow.contains("id-token: write"));
    let action = include_str!("../../actions/login/action.yml");
    assert!(action.contains(&format!("default: {DEFAULT_AUDIENCE}\n")));
    assert!(gitlab.contains(&format!("aud: {DEFAULT_AUDIENCE} }}")));
    assert!(buildkite.contains(&format!("--audience {DEFAULT_AUDIENCE} ")));
    let scripts = blocks("sh");
    let script = scripts
        .iter()
        .find(|script| script.contains("# Needs a CI job."))
        .unwrap();
    assert!(script.contains(&format!("CLOUDFLARE_API_BASE_URL=$API{} ", gateway::BASE)));
    assert!(Route::find("POST", "/v1/tokens/exchange").is_ok_and(|found| found.value.is_open));
    assert!(script.contains("$API/v1/tokens/exchange"));
}

#[test]
fn the_first_policy_allows_the_workflow() {
    let workflow = blocks("yaml").remove(0);
    let first = blocks("json").remove(0);
    let policy: Value = serde_json::from_str(&first).unwrap();
    let github = &policy["rules"][1]["who"]["github"];
    let branch = github["ref"]
        .as_str()
        .unwrap()
        .strip_prefix("refs/heads/")
        .unwrap();
    assert!(workflow.contains(&format!("branches: [{branch}]")));
    assert!(workflow.contains(&format!(
        "environment: {}",
        github["environment"].as_str().unwrap()
    )));
    let namespace = policy["rules"][1]["namespaces"][0].as_str().unwrap();
    assert!(workflow.contains(&format!("--dispatch-namespace {namespace}")));
}
