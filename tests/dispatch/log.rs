//! The log: one JSON line for each failure and, with `LOG_REFUSALS=1`, one for each refusal.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms;

/// The lines of one request.
fn lines_of<'a>(lines: &'a [Value], id: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["request_id"] == id).collect()
}

#[end_to_end::test]
async fn a_failure_or_refusal_is_logged_in_one_line_with_its_details() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module("export default { fetch() { throw new Error('two\\nlines'); } };");
    platform.deploy(Environment::Staging, "logged", &script).await?;
    for (ray, host, path, expected) in [
        (
            "log-1",
            "staging.logged.do",
            "/x?token=not-logged",
            json!({ "code": "WORKER_FAILED", "status": 502, "environment": "staging", "worker": "logged",
                "rule": "built-in `{env}.{worker}.do`", "host": "staging.logged.do", "cause": "two\nlines" }),
        ),
        (
            "log-2",
            "Unknown.Example",
            "/",
            json!({ "code": "HOST_UNKNOWN", "status": 404, "host": "unknown.example" }),
        ),
        (
            "log-3",
            "logged.do",
            "/",
            json!({ "code": "WORKER_NOT_DEPLOYED", "status": 404, "environment": "production", "worker": "logged",
                "host": "logged.do" }),
        ),
        (
            "log-4",
            "nobody.acme.tenants.example",
            "/",
            json!({ "code": "WORKER_NOT_DEPLOYED", "environment": "staging", "worker": "nobody-acme" }),
        ),
    ] {
        let request = platform.request(Method::GET, host, path).header("cf-ray", ray);
        Answer::read(request.send().await?).await?;
        let line = platform
            .log()
            .object(ray, |line| line["request_id"] == ray)
            .await?;
        for (member, value) in expected.as_object().into_iter().flatten() {
            assert_eq!(&line[member], value, "{member}: {line}");
        }
        assert!(!line["cause"].as_str().unwrap_or_default().is_empty(), "{line}");
        assert!(
            !line.to_string().contains("not-logged"),
            "the line contains the query: {line}"
        );
        assert_eq!(
            lines_of(&platform.log().objects()?, ray).len(),
            1,
            "{ray} has more than one line"
        );
    }
    Ok(())
}

/// `LOG_REFUSALS` is not set on [`platforms::faulty`].
#[end_to_end::test]
async fn refusals_are_not_logged_by_default() -> Result<()> {
    let platform = platforms::faulty();
    for (ray, host, code) in [
        ("quiet-1", "unknown.example", "HOST_UNKNOWN"),
        ("quiet-2", "qa.agents.do", "ENVIRONMENT_UNKNOWN"),
        ("quiet-3", "com.do", "WORKER_NAME_INVALID"),
        ("quiet-4", "get-rejects-not-found.do", "WORKER_NOT_DEPLOYED"),
        ("quiet-5", "fetch-rejects-not-found.do", "WORKER_NOT_DEPLOYED"),
    ] {
        let request = platform.request(Method::GET, host, "/").header("cf-ray", ray);
        let answer = Answer::read(request.send().await?).await?;
        assert_eq!(answer.header("x-dispatch-error"), code, "{host}");
    }
    let request = platform
        .request(Method::GET, "get-throws.do", "/")
        .header("cf-ray", "loud-1");
    request.send().await?;
    platform
        .log()
        .object("the later failure", |line| line["request_id"] == "loud-1")
        .await?;
    let log = platform.log().text()?;
    assert!(!log.contains("quiet-"), "a refusal is logged: {log}");
    Ok(())
}

/// wrangler prints the level before a line of level error, and nothing before one of level info.
#[end_to_end::test]
async fn refusals_have_the_level_info_and_failures_the_level_error() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module("export default { fetch() { throw new Error('failed'); } };");
    platform
        .deploy(Environment::Production, "fails-loudly", &script)
        .await?;
    for (ray, host, is_error) in [
        ("level-1", "unknown.example", false),
        ("level-2", "fails-loudly.do", true),
    ] {
        let request = platform.request(Method::GET, host, "/").header("cf-ray", ray);
        request.send().await?;
        platform
            .log()
            .object(ray, |line| line["request_id"] == ray)
            .await?;
        let log = platform.log().text()?;
        let line = log.lines().find(|line| line.contains(ray)).unwrap_or_default();
        assert_eq!(line.contains("ERROR"), is_error, "{line}");
    }
    Ok(())
}

#[end_to_end::test]
async fn a_response_of_a_worker_is_not_logged() -> Result<()> {
    let platform = platforms::standard();
    let answering =
        Script::module("export default { fetch() { return new Response('sorry', { status: 500 }); } };");
    platform
        .deploy(Environment::Production, "quiet", &answering)
        .await?;
    let request = platform
        .request(Method::GET, "quiet.do", "/")
        .header("cf-ray", "log-quiet");
    assert_eq!(request.send().await?.status(), 500);
    let request = platform
        .request(Method::GET, "not-quiet.do", "/")
        .header("cf-ray", "log-loud");
    request.send().await?;
    platform
        .log()
        .object("the later failure", |line| line["request_id"] == "log-loud")
        .await?;
    assert_eq!(
        lines_of(&platform.log().objects()?, "log-quiet"),
        Vec::<&Value>::new()
    );
    Ok(())
}
