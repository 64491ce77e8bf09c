//! The health document of the dispatch Worker, `/.well-known/dispatcher`.

use anyhow::Result;
use end_to_end::Answer;
use reqwest::Method;
use serde_json::json;

use crate::platforms;

const PATH: &str = "/.well-known/dispatcher";

#[end_to_end::test]
async fn it_contains_only_the_version_environments_and_bindings() -> Result<()> {
    for (platform, development) in [(platforms::standard(), true), (platforms::faulty(), false)] {
        for host in ["dispatcher.account.workers.dev", "127.0.0.1", "localhost"] {
            let answer = platform.get(host, PATH).await?;
            assert_eq!(answer.status, 200, "{host}: {}", answer.text());
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(
                answer.json(),
                json!({
                    "version": env!("CARGO_PKG_VERSION"),
                    "environments": {
                        "production": { "binding": "DISPATCHER_PRODUCTION", "present": true },
                        "staging": { "binding": "DISPATCHER_STAGING", "present": true },
                        "development": { "binding": "DISPATCHER_DEVELOPMENT", "present": development },
                    },
                })
            );
        }
    }
    Ok(())
}

#[end_to_end::test]
async fn it_is_not_served_on_a_routed_host_or_another_path_or_for_post() -> Result<()> {
    let platform = platforms::standard();
    for (host, path, code) in [
        ("nobody-yet.do", PATH, "WORKER_NOT_DEPLOYED"),
        ("qa.nobody-yet.do", PATH, "ENVIRONMENT_UNKNOWN"),
        ("unknown.example", "/.well-known/dispatcher/", "HOST_UNKNOWN"),
        ("unknown.example", "/x/.well-known/dispatcher", "HOST_UNKNOWN"),
        ("unknown.example", "/?/.well-known/dispatcher", "HOST_UNKNOWN"),
    ] {
        let answer = platform.get(host, path).await?;
        assert_eq!(answer.header("x-dispatch-error"), code, "{host}{path}");
    }
    let request = platform.request(Method::POST, "unknown.example", PATH);
    let answer = Answer::read(request.send().await?).await?;
    assert_ne!(answer.status, 200, "{}", answer.text());
    Ok(())
}
