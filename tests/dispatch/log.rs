//! One structured line for each failure, and none for what went well.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms;

fn of<'a>(lines: &'a [Value], id: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["request_id"] == id).collect()
}

#[end_to_end::test]
async fn a_failure_is_one_line_with_everything_to_look_for() -> Result<()> {
    let platform = platforms::sound();
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
            "a query is logged: {line}"
        );
        assert_eq!(
            of(&platform.log().objects()?, ray).len(),
            1,
            "{ray} is logged more than once"
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn a_request_that_a_worker_answers_is_not_logged() -> Result<()> {
    let platform = platforms::sound();
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
    assert_eq!(of(&platform.log().objects()?, "log-quiet"), Vec::<&Value>::new());
    Ok(())
}
