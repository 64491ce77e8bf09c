//! Every row of the error table (`docs/errors.md`), as a problem document and as an HTML page.

use anyhow::Result;
use dotdo_names::{Environment, REGISTRY_SUFFIXES};
use end_to_end::Script;
use reqwest::Method;

use crate::{
    failure::{self, SECRET},
    platforms,
};

#[end_to_end::test]
async fn host_unknown() -> Result<()> {
    for host in [
        "unknown.example",
        "example.com",
        "127.0.0.1",
        "[::1]:8787",
        "do",
        "localhost",
    ] {
        let document = failure::expect(platforms::standard(), host, "/x", 404, "HOST_UNKNOWN").await?;
        assert!(document["detail"].is_string());
    }
    Ok(())
}

#[end_to_end::test]
async fn environment_unknown() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(
            Environment::Production,
            "present",
            &Script::answering("production"),
        )
        .await?;
    for (host, path) in [
        ("qa.present.do", "/"),
        ("production.present.do", "/"),
        ("present.qa.do", "/"),
        ("present--qa.apis.do", "/"),
        ("present--production.apis.do", "/"),
        ("qa.present.localhost", "/"),
    ] {
        failure::expect(platform, host, path, 404, "ENVIRONMENT_UNKNOWN").await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn worker_name_invalid() -> Result<()> {
    let suffixes = REGISTRY_SUFFIXES.map(|suffix| format!("{suffix}.do"));
    let others = [
        "a--b.do",
        "-a.do",
        "a-.do",
        "staging.do",
        "dev.do",
        "development.do",
    ];
    let hosts = suffixes.iter().map(String::as_str).chain(others);
    for host in hosts {
        failure::expect(platforms::standard(), host, "/", 404, "WORKER_NAME_INVALID").await?;
    }
    failure::expect(
        platforms::standard(),
        "apis.do",
        "/com/x",
        404,
        "WORKER_NAME_INVALID",
    )
    .await?;
    Ok(())
}

#[end_to_end::test]
async fn worker_not_deployed() -> Result<()> {
    for host in [
        "never-deployed.do",
        "staging.never-deployed.do",
        "dev.never-deployed.do",
    ] {
        failure::expect(platforms::standard(), host, "/x", 404, "WORKER_NOT_DEPLOYED").await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn worker_failed() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(&format!(
        "export default {{ fetch() {{ throw new Error('{SECRET}'); }} }};"
    ));
    platform.deploy(Environment::Production, "fails", &script).await?;
    failure::expect(platform, "fails.do", "/", 502, "WORKER_FAILED").await?;
    Ok(())
}

#[end_to_end::test]
async fn worker_limit_exceeded() -> Result<()> {
    for worker in ["fetch-rejects-cpu", "fetch-rejects-subrequests"] {
        let host = format!("{worker}.do");
        failure::expect(platforms::faulty(), &host, "/", 503, "WORKER_LIMIT_EXCEEDED").await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn dispatch_unavailable() -> Result<()> {
    let platform = platforms::faulty();
    failure::expect(platform, "dev.anything.do", "/", 503, "DISPATCH_UNAVAILABLE").await?;
    failure::expect(platform, "get-throws.do", "/", 503, "DISPATCH_UNAVAILABLE").await?;
    Ok(())
}

#[end_to_end::test]
async fn configuration_invalid() -> Result<()> {
    let platform = platforms::misconfigured();
    for (host, path) in [
        ("agents.do", "/x"),
        ("staging.agents.do", "/"),
        ("unknown.example", "/"),
        ("a.example.com", "/"),
        ("127.0.0.1", "/x"),
        ("127.0.0.1", "/.well-known/dispatcher"),
    ] {
        failure::expect(platform, host, path, 500, "CONFIGURATION_INVALID").await?;
    }
    let line = platform
        .log()
        .object("the cause in the log", |line| {
            line["code"] == "CONFIGURATION_INVALID"
        })
        .await?;
    let cause = line["cause"].as_str().unwrap_or_default();
    for expected in [
        "ROUTES[0]",
        "*.example.com",
        "a capture, as in `{worker}.example.com`",
    ] {
        assert!(cause.contains(expected), "{expected}: {line}");
    }
    Ok(())
}

// An earlier build listed every internal service in its response for an unknown host.
#[end_to_end::test]
async fn pitfall_09_a_404_does_not_reveal_workers_rules_or_namespaces() -> Result<()> {
    let platform = platforms::standard();
    for environment in Environment::ALL {
        let script = Script::answering("never listed");
        platform.deploy(environment, "unlisted-worker", &script).await?;
    }
    for host in [
        "unknown.example",
        "qa.unlisted.do",
        "com.do",
        "unlisted.do",
        "staging.unlisted.do",
    ] {
        for accept in ["*/*", failure::BROWSER] {
            let request = platform.request(Method::GET, host, "/").header("Accept", accept);
            let response = request.send().await?;
            assert_eq!(response.status(), 404, "{host}");
            let shown = format!("{:?} {}", response.headers().clone(), response.text().await?);
            for secret in [
                "unlisted-worker",
                "limited",
                "another-in-front",
                "dotdo-",
                "tenants.example",
            ] {
                assert!(!shown.contains(secret), "{host} reveals {secret}: {shown}");
            }
        }
    }
    Ok(())
}

// An earlier build returned the same 404 for an unknown host, a Worker that is not deployed and a sleeping one. Users
// searched for days for the cause.
#[end_to_end::test]
async fn each_404_has_a_different_code_type_title_and_detail() -> Result<()> {
    let platform = platforms::standard();
    let mut seen = Vec::new();
    for (host, code) in [
        ("unknown.example", "HOST_UNKNOWN"),
        ("qa.agents.do", "ENVIRONMENT_UNKNOWN"),
        ("com.do", "WORKER_NAME_INVALID"),
        ("nobody-is-here.do", "WORKER_NOT_DEPLOYED"),
    ] {
        let document = failure::expect(platform, host, "/", 404, code).await?;
        for member in ["type", "title", "detail"] {
            let value = document[member].clone();
            assert!(!seen.contains(&value), "two codes have the {member} {value}");
            seen.push(value);
        }
    }
    Ok(())
}
