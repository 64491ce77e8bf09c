//! Rejected deploys: the error names the cause, and the deployed script stays.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script};
use reqwest::Method;
use serde_json::json;

use crate::envelope::error;

const PRODUCTION: Environment = Environment::Production;

async fn put(platform: &Platform, name: &str, script: &Script) -> Result<Answer> {
    let call = platform.api(Method::PUT, &platform.script_path(PRODUCTION, name));
    Answer::read(call.multipart(script.to_form()).send().await?).await
}

#[end_to_end::test]
async fn rejects_unsupported_bindings_with_advice() -> Result<()> {
    let platform = Platform::shared();
    platform
        .deploy(PRODUCTION, "bound", &Script::answering("before"))
        .await?;
    for binding in [
        json!({ "type": "ai", "name": "STORE" }),
        json!({ "type": "hyperdrive", "name": "STORE", "id": "x" }),
        json!({ "type": "vectorize", "name": "STORE", "index_name": "x" }),
        json!({ "type": "images", "name": "STORE" }),
        json!({ "type": "workflow", "name": "STORE", "workflow_name": "x", "class_name": "X" }),
        json!({ "type": "browser", "name": "STORE" }),
        json!({ "type": "invented", "name": "STORE" }),
    ] {
        let kind = binding["type"].clone();
        let answer = put(
            platform,
            "bound",
            &Script::answering("after").with_binding(binding),
        )
        .await?;
        let (_, message) = error(&answer)?;
        assert_eq!(answer.status, 400, "{kind}");
        assert!(
            message.contains("STORE") && message.contains(&kind.to_string()),
            "{message}"
        );
        assert!(
            message.matches(". ").count() >= 1,
            "the message has no advice: {message}"
        );
        assert_eq!(platform.get("bound.do", "/").await?.text(), "before", "{kind}");
    }
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_script_that_does_not_start_with_its_error_message() -> Result<()> {
    let platform = Platform::shared();
    platform
        .deploy(PRODUCTION, "starts", &Script::answering("before"))
        .await?;
    for (source, expected) in [
        (
            "throw new Error('no table of squirrels');",
            "no table of squirrels",
        ),
        ("export default {", "SyntaxError"),
        (
            "import missing from './missing.js'; export default {};",
            "missing.js",
        ),
        ("null.property; export default {};", "TypeError"),
        ("await fetch('https://example.com'); export default {};", ""),
    ] {
        let answer = put(platform, "starts", &Script::module(source)).await?;
        let (code, message) = error(&answer)?;
        assert_eq!(
            (answer.status.as_u16(), code),
            (400, 10021),
            "{source}: {message}"
        );
        assert!(message.contains(expected), "{source}: {message}");
        assert_eq!(platform.get("starts.do", "/").await?.text(), "before", "{source}");
    }
    // The first deploy of a script fails: the script does not exist.
    put(platform, "never-started", &Script::module("throw 1;")).await?;
    let answer = platform.get("never-started.do", "/").await?;
    assert_eq!(answer.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_script_without_handlers() -> Result<()> {
    let answer = put(
        Platform::shared(),
        "no-handlers",
        &Script::module("export const answer = 42;"),
    )
    .await?;
    assert_eq!(error(&answer)?.0, 10068, "{}", answer.text());
    Ok(())
}

#[end_to_end::test]
async fn rejects_malformed_uploads_with_a_message() -> Result<()> {
    let platform = Platform::shared();
    let path = platform.script_path(PRODUCTION, "malformed");
    for body in ["", "{}", "--x\r\n", "not a form"] {
        for content_type in [
            "multipart/form-data; boundary=x",
            "application/json",
            "text/plain",
        ] {
            let call = platform
                .api(Method::PUT, &path)
                .header("Content-Type", content_type);
            let answer = Answer::read(call.body(body).send().await?).await?;
            assert_eq!(answer.status, 400, "{content_type} {body:?}: {}", answer.text());
            assert!(!error(&answer)?.1.is_empty());
        }
    }
    for script in [
        Script::answering("x").with("main_module", json!("other.js")),
        Script::answering("x").with("main_module", json!(7)),
        Script::answering("x").with("bindings", json!({})),
        Script::answering("x").with("bindings", json!([7])),
        Script::answering("x").with("bindings", json!([{ "type": "plain_text" }])),
        Script::answering("x").with("compatibility_date", json!("yesterday")),
        Script::answering("x").with("compatibility_flags", json!("nodejs_compat")),
        Script::answering("x").with("compatibility_flags", json!(["no_such_flag"])),
        Script::answering("x").with("tags", json!("a")),
        Script::answering("x").with_module(
            "../../escape.js",
            "application/javascript+module",
            "export default 1;",
        ),
        Script::answering("x").with_module("strange.bin", "application/x-strange", "?"),
        Script::answering("x").with_module("broken.wasm", "application/wasm", "not wasm"),
        Script::answering("x").with_module("broken.json", "application/json", "{"),
        Script::answering("x").with_text("TOO_LONG", &"a".repeat(6000)),
    ] {
        let answer = put(platform, "malformed", &script).await?;
        assert_eq!(answer.status, 400, "{script:?}: {}", answer.text());
        assert!(error(&answer)?.1.len() > 10, "{}", answer.text());
    }
    let answer = platform.get("malformed.do", "/").await?;
    assert_eq!(answer.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    Ok(())
}

#[end_to_end::test]
async fn rejects_names_that_cloudflare_rejects() -> Result<()> {
    let platform = Platform::shared();
    let long = "a".repeat(64);
    for name in [
        "Upper",
        "-leading",
        "dot.ted",
        "sp%20ace",
        "%2e%2e%2fup",
        long.as_str(),
    ] {
        let answer = put(platform, name, &Script::answering("x")).await?;
        assert_eq!(
            (answer.status.as_u16(), error(&answer)?.0),
            (400, 10016),
            "{name}"
        );
    }
    Ok(())
}

/// Without a namespace, wrangler's commands address account Workers, and there is none of this name.
#[end_to_end::test]
async fn account_level_calls_change_no_script_of_a_namespace() -> Result<()> {
    let platform = Platform::shared();
    platform
        .deploy(PRODUCTION, "spared", &Script::answering("spared"))
        .await?;
    let account = format!("/client/v4/accounts/{}", platform.account());
    for (method, path) in [
        (Method::DELETE, "/workers/services/spared?force=true"),
        (Method::DELETE, "/workers/scripts/spared"),
        (Method::PUT, "/workers/scripts/spared/secrets"),
        (Method::GET, "/workers/scripts/spared/settings"),
    ] {
        let answer = Answer::read(
            platform
                .api(method.clone(), &format!("{account}{path}"))
                .send()
                .await?,
        )
        .await?;
        assert_eq!(
            (answer.status.as_u16(), error(&answer)?.0),
            (404, 10007),
            "{method} {path}"
        );
    }
    assert_eq!(platform.get("spared.do", "/").await?.text(), "spared");
    Ok(())
}
