//! `GET /v1/deployments`: the recent deployments of all Workers that the caller may read.

use serde_json::{Value, json};

use super::platform::Platform;
use super::support::callers::grant;
use super::wrangler_upload::Upload;

fn namespaces(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["namespace"].as_str().unwrap())
        .collect()
}

#[test]
fn recent_deployments_of_all_namespaces_are_listed_for_those_who_may_read_them() {
    let platform = Platform::new();
    let everywhere = ["dotdo-production", "dotdo-staging"];
    let actions = ["read", "deploy"];
    let token = platform.token("alice", &[grant(&everywhere, &["*"], &actions)]);
    for (code, namespace) in [
        ("export default { a };", "dotdo-staging"),
        ("export default { b };", "dotdo-production"),
        ("export default { c };", "dotdo-staging"),
    ] {
        let annotations = json!({ "workers/message": "A message", "workers/tag": "v1" });
        let upload = Upload::of(code).with("annotations", annotations);
        let answered = platform.deploy_to(&token, namespace, &upload);
        assert_eq!(answered.status, 200, "{}", answered.text());
        platform.cloud.pass(60);
    }
    let page = |token: &str, query: &str| {
        let answered = platform.call(token, &format!("GET /v1/deployments{query}"), "");
        assert_eq!(answered.status, 200, "{query}: {}", answered.text());
        answered.body
    };
    let all = page(&token, "?since=1h");
    assert_eq!(
        namespaces(&all),
        ["dotdo-staging", "dotdo-production", "dotdo-staging"]
    );
    let newest = &all["items"][0];
    assert_eq!(newest["size"], "export default { c };".len());
    assert_eq!(
        newest["annotations"],
        json!({ "message": "A message", "tag": "v1" })
    );
    assert_eq!(newest["identity"]["subject"], "alice");
    assert_eq!(
        (&newest["serving"], &newest["state"]),
        (&json!(true), &json!("succeeded"))
    );
    assert!(newest["milliseconds"].is_u64(), "{newest}");
    assert_eq!(all["items"][2]["serving"], false);

    assert_eq!(namespaces(&page(&token, "?since=90s")), ["dotdo-staging"]);
    assert_eq!(
        namespaces(&page(&token, "?namespace=dotdo-production&worker=agents")),
        ["dotdo-production"]
    );
    assert_eq!(namespaces(&page(&token, "?worker=billing")), [""; 0]);

    let first = page(&token, "?limit=2");
    let cursor = first["cursor"].as_str().unwrap();
    let second = page(&token, &format!("?limit=2&cursor={cursor}"));
    assert_eq!((namespaces(&first).len(), namespaces(&second).len()), (2, 1));

    let limited = platform.token("alice", &[grant(&["dotdo-staging"], &["*"], &["read"])]);
    assert_eq!(
        namespaces(&page(&limited, "")),
        ["dotdo-staging", "dotdo-staging"]
    );
    for (token, query) in [
        (&limited, "?namespace=dotdo-production"),
        (&limited, "?namespace=dotdo-production&worker=agents"),
        (
            &platform.token("bob", &[grant(&everywhere, &["*"], &actions)]),
            "",
        ),
    ] {
        let answered = platform.call(token, &format!("GET /v1/deployments{query}"), "");
        assert_eq!(answered.status, 403, "{query}: {}", answered.text());
    }
}
