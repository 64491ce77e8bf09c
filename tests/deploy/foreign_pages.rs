//! Web pages elsewhere, in the browser of a developer: they cause nothing on the local platform, and read nothing.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Script};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms::{issuer, platform, put, text};

/// A request for a token, as an administrator sends it.
fn token_request() -> Value {
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    json!({
        "subject": "from-a-page", "expires": expires.to_string(),
        "grants": [{ "namespaces": ["dotdo-development"], "workers": ["*"], "actions": ["read"] }]
    })
}

#[end_to_end::test]
async fn a_foreign_origin_causes_nothing() -> Result<()> {
    let platform = platform();
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost:1"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        for (method, path, body) in [
            (Method::POST, "/v1/tokens", token_request()),
            (Method::POST, "/v1/tokens/exchange", json!({ "token": "x" })),
            (Method::GET, "/v1/policy", Value::Null),
            (Method::GET, "/v1/health", Value::Null),
            (Method::OPTIONS, "/v1/tokens", Value::Null),
            (Method::GET, "/client/v4/user", Value::Null),
        ] {
            let request = platform.api(method.clone(), path).header(name, value).json(&body);
            let answer = Answer::read(request.send().await?).await?;
            assert_eq!(
                answer.status,
                403,
                "{name}: {value} {method} {path}: {}",
                answer.text()
            );
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }
    let own = platform
        .api(Method::GET, "/v1/policy")
        .header("Origin", format!("http://localhost:{}", platform.port()));
    assert_eq!(own.send().await?.status(), 200);
    let created = platform.deploy_api().audit("verb=token_create").await?;
    assert!(!json!(created).to_string().contains("from-a-page"), "{created:?}");
    Ok(())
}

#[end_to_end::test]
async fn a_rebound_host_reads_and_causes_nothing() -> Result<()> {
    let platform = platform();
    let origin = format!("http://localhost:{}", platform.port());
    let oidc = issuer().token(&issuer().claims("drivly/rebound", 6701));
    for with_header in [false, true] {
        for (method, path, body) in [
            (Method::GET, "/v1/health", Value::Null),
            (Method::GET, "/v1/policy", Value::Null),
            (Method::POST, "/v1/tokens", token_request()),
            (Method::POST, "/v1/tokens/exchange", json!({ "token": oidc })),
            (Method::GET, "/", Value::Null),
        ] {
            let mut request = platform
                .request(method.clone(), "rebound.example", path)
                .header("Accept", "text/html")
                .bearer_auth(platform.token())
                .json(&body);
            if with_header {
                request = request.header("MF-Original-URL", format!("{origin}{path}"));
            }
            let answer = Answer::read(request.send().await?).await?;
            let status = if with_header { 403 } else { 404 };
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
            assert_eq!(
                answer.header("x-dispatch-error").is_empty(),
                with_header,
                "{path} is not served by the dispatch Worker"
            );
        }
    }
    let exchanges = platform.deploy_api().audit("verb=token_exchange").await?;
    assert!(
        !json!(exchanges).to_string().contains("drivly/rebound"),
        "{exchanges:?}"
    );
    let created = platform.deploy_api().audit("verb=token_create").await?;
    assert!(!json!(created).to_string().contains("from-a-page"), "{created:?}");
    Ok(())
}

/// The Worker that a page wants to replace and to read.
const WORKER: &str = "not-for-pages";

#[end_to_end::test]
async fn a_page_of_another_origin_changes_nothing_and_reads_nothing() -> Result<()> {
    let platform = platform();
    let script = Script::answering("mine");
    assert_eq!(put(platform, WORKER, &script).await?.status, 200);
    let port = platform.port();
    let upload = platform.script_path(Staging, WORKER);
    let worker = format!("/v1/namespaces/{}/workers/{WORKER}", Staging.namespace());
    let lock = format!("{worker}/lock");
    let stolen = json!({ "reason": "from a page" });
    for (host, header, value, statuses) in [
        (
            "localhost",
            "Origin",
            "https://evil.example".to_owned(),
            [403, 403],
        ),
        ("localhost", "Origin", "null".to_owned(), [403, 403]),
        ("localhost", "Sec-Fetch-Site", "cross-site".to_owned(), [403, 403]),
        // Names that a page has made to point to this machine.
        (
            "evil.example",
            "Origin",
            format!("http://evil.example:{port}"),
            [403, 403],
        ),
        ("not-for-pages.localhost", "X-Any", String::new(), [404, 404]),
        (
            "evil.example",
            "MF-Original-URL",
            format!("http://localhost:{port}{worker}"),
            [403, 403],
        ),
        (
            "evil.example",
            "MF-Original-Hostname",
            "localhost".to_owned(),
            [403, 403],
        ),
    ] {
        let bearer = platform.token();
        let write = platform
            .request(Method::PUT, host, &upload)
            .bearer_auth(bearer)
            .header(header, &value)
            .multipart(Script::answering("stolen").to_form());
        let lock = platform
            .request(Method::PUT, host, &lock)
            .bearer_auth(bearer)
            .header(header, &value)
            .json(&stolen);
        let read = platform
            .request(Method::GET, host, &worker)
            .bearer_auth(bearer)
            .header(header, &value);
        for (request, status) in [(write, statuses[0]), (lock, statuses[0]), (read, statuses[1])] {
            let answer = Answer::read(request.send().await?).await?;
            assert_eq!(
                answer.status,
                status,
                "{host} {header}: {value}: {}",
                answer.text()
            );
            assert!(!answer.text().contains("mine"), "{host} {header}: {value}");
        }
    }
    assert_eq!(text(platform, Staging, WORKER).await?, "mine");
    let unlocked = platform.deploy_api().get(&format!("{worker}/lock")).await?;
    assert!(!unlocked.to_string().contains("from a page"), "{unlocked}");
    Ok(())
}
