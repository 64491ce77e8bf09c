//! The REST API's calls about a script.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script};
use reqwest::Method;
use serde_json::{Value, json};

use crate::envelope::{call, error, result};

const STAGING: Environment = Environment::Staging;

fn path(name: &str, rest: &str) -> String {
    let namespace = STAGING.namespace();
    format!("/workers/dispatch/namespaces/{namespace}/scripts/{name}{rest}")
}

async fn text(platform: &Platform, name: &str) -> Result<String> {
    Ok(platform.get(&format!("staging.{name}.do"), "/").await?.text())
}

#[end_to_end::test]
async fn deploys_shows_and_deletes_a_script() -> Result<()> {
    let platform = Platform::shared();
    let script = Script::answering("one")
        .with_text("A", "a")
        .with("tags", json!(["team-a", "customer-1"]));
    let deployed = platform.deploy(STAGING, "whole", &script).await?;
    assert_eq!(deployed["id"], "whole");
    for member in ["deployment_id", "etag"] {
        assert!(
            deployed[member].as_str().is_some_and(|id| !id.is_empty()),
            "{deployed}"
        );
    }
    assert!(deployed["startup_time_ms"].is_u64(), "{deployed}");

    let shown = result(&call(platform, Method::GET, &path("whole", ""), None).await?)?;
    assert_eq!(shown["dispatch_namespace"], STAGING.namespace());
    assert_eq!(shown["script"]["id"], "whole");
    assert_eq!(shown["script"]["etag"], deployed["etag"]);
    assert_eq!(shown["script"]["tags"], json!(["team-a", "customer-1"]));
    assert_eq!(text(platform, "whole").await?, "one");

    result(&call(platform, Method::DELETE, &path("whole", "?force=true"), None).await?)?;
    for (method, rest) in [
        (Method::GET, ""),
        (Method::DELETE, ""),
        (Method::GET, "/content"),
        (Method::GET, "/settings"),
        (Method::GET, "/bindings"),
        (Method::GET, "/secrets"),
        (Method::GET, "/tags"),
    ] {
        let answer = call(platform, method, &path("whole", rest), None).await?;
        assert_eq!(answer.status, 404, "{rest}");
        assert_eq!(error(&answer)?.0, 10092, "{rest}: {}", answer.text());
    }
    let gone = platform.get("staging.whole.do", "/").await?;
    assert_eq!(gone.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    Ok(())
}

#[end_to_end::test]
async fn filters_and_pages_the_list() -> Result<()> {
    let platform = Platform::shared();
    for (name, tags) in [
        ("listed-a", json!(["listed", "odd"])),
        ("listed-b", json!(["listed"])),
        ("listed-c", json!(["listed", "odd"])),
    ] {
        let script = Script::answering(name).with("tags", tags);
        platform.deploy(STAGING, name, &script).await?;
    }
    let names = |answer: &Answer| -> Vec<Value> {
        let list = answer.json()["result"].clone();
        list.as_array()
            .into_iter()
            .flatten()
            .map(|script| script["id"].clone())
            .collect()
    };
    let scripts = path("", "").trim_end_matches('/').to_owned();
    let list = async |query: &str| call(platform, Method::GET, &format!("{scripts}{query}"), None).await;
    assert_eq!(
        names(&list("?tags=listed:yes").await?),
        ["listed-a", "listed-b", "listed-c"]
    );
    assert_eq!(
        names(&list("?tags=listed:yes,odd:yes").await?),
        ["listed-a", "listed-c"]
    );
    assert_eq!(names(&list("?tags=listed:yes,odd:no").await?), ["listed-b"]);

    let first = list("?tags=listed:yes&limit=2").await?;
    assert_eq!(names(&first), ["listed-a", "listed-b"]);
    let cursor = first.json()["result_info"]["cursor"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_ne!(cursor, "");
    let second = list(&format!("?tags=listed:yes&limit=2&cursor={cursor}")).await?;
    assert_eq!(names(&second), ["listed-c"]);
    assert!(
        second.json()["result_info"]["cursor"].is_null(),
        "{}",
        second.text()
    );

    for query in [
        "?limit=0",
        "?limit=1001",
        "?limit=x",
        "?tags=listed",
        "?cursor=%21",
    ] {
        assert_eq!(list(query).await?.status, 400, "{query}");
    }
    // A deletion without tags would delete every script of the namespace.
    let all = call(platform, Method::DELETE, &scripts, None).await?;
    assert_eq!(all.status, 400);
    result(
        &call(
            platform,
            Method::DELETE,
            &format!("{scripts}?tags=listed:yes,odd:yes"),
            None,
        )
        .await?,
    )?;
    assert_eq!(names(&list("?tags=listed:yes").await?), ["listed-b"]);
    Ok(())
}

#[end_to_end::test]
async fn replaces_the_content_and_keeps_the_bindings() -> Result<()> {
    let platform = Platform::shared();
    let script = Script::module(
        "import extra from './extra.txt';
        export default { fetch(request, env) { return new Response(extra + env.KEPT); } };",
    )
    .with_module("extra.txt", "text/plain", "first ")
    .with_text("KEPT", "kept");
    platform.deploy(STAGING, "content", &script).await?;
    assert_eq!(text(platform, "content").await?, "first kept");

    let content = call(platform, Method::GET, &path("content", "/content"), None).await?;
    assert_eq!(content.status, 200);
    assert!(
        content.header("content-type").starts_with("multipart/form-data"),
        "{:?}",
        content.headers
    );
    for expected in ["index.js", "extra.txt", "first ", "import extra"] {
        assert!(
            content.text().contains(expected),
            "{expected}: {}",
            content.text()
        );
    }

    let replaced = Script::module(
        "export default { fetch(request, env) { return new Response('second ' + env.KEPT); } };",
    );
    let url = format!(
        "/client/v4/accounts/{}{}",
        platform.account(),
        path("content", "/content")
    );
    let answer = platform
        .api(Method::PUT, &url)
        .multipart(replaced.to_form())
        .send()
        .await?;
    result(&Answer::read(answer).await?)?;
    assert_eq!(text(platform, "content").await?, "second kept");
    Ok(())
}

#[end_to_end::test]
async fn shows_and_changes_settings() -> Result<()> {
    let platform = Platform::shared();
    let script = Script::module("export default { fetch(request, env) { return Response.json(env); } };")
        .with_text("A", "a")
        .with_binding(json!({ "type": "json", "name": "J", "json": { "n": [1] } }))
        .with_binding(json!({ "type": "secret_text", "name": "S", "text": "never shown" }))
        .with("compatibility_flags", json!(["nodejs_compat"]));
    platform.deploy(STAGING, "settled", &script).await?;
    let parse = |text: &str| serde_json::from_str::<Value>(text);
    assert_eq!(
        parse(&text(platform, "settled").await?)?,
        json!({ "A": "a", "J": { "n": [1] }, "S": "never shown" })
    );
    let settings = call(platform, Method::GET, &path("settled", "/settings"), None).await?;
    let shown = result(&settings)?;
    assert_eq!(shown["compatibility_date"], "2026-01-01");
    assert_eq!(shown["compatibility_flags"], json!(["nodejs_compat"]));
    assert!(!settings.text().contains("never shown"), "{}", settings.text());
    let bindings = result(&call(platform, Method::GET, &path("settled", "/bindings"), None).await?)?;
    assert_eq!(bindings, shown["bindings"]);
    assert_eq!(bindings.as_array().map(Vec::len), Some(3), "{bindings}");
    assert!(!bindings.to_string().contains("never shown"), "{bindings}");

    let change = json!({ "bindings": [
        { "type": "plain_text", "name": "B", "text": "b" },
        { "type": "inherit", "name": "S" },
    ] });
    result(
        &call(
            platform,
            Method::PATCH,
            &path("settled", "/settings"),
            Some(change),
        )
        .await?,
    )?;
    assert_eq!(
        parse(&text(platform, "settled").await?)?,
        json!({ "B": "b", "S": "never shown" })
    );
    Ok(())
}

#[end_to_end::test]
async fn sets_lists_keeps_and_deletes_secrets() -> Result<()> {
    let platform = Platform::shared();
    let script =
        Script::module("export default { fetch(request, env) { return new Response(String(env.KEY)); } };");
    platform.deploy(STAGING, "secretive", &script).await?;
    assert_eq!(text(platform, "secretive").await?, "undefined");

    let secret = json!({ "name": "KEY", "text": "value", "type": "secret_text" });
    let put = call(
        platform,
        Method::PUT,
        &path("secretive", "/secrets"),
        Some(secret),
    )
    .await?;
    assert_eq!(result(&put)?, json!({ "name": "KEY", "type": "secret_text" }));
    assert_eq!(
        text(platform, "secretive").await?,
        "value",
        "the next request must get the secret"
    );

    let list = call(platform, Method::GET, &path("secretive", "/secrets"), None).await?;
    assert_eq!(result(&list)?, json!([{ "name": "KEY", "type": "secret_text" }]));
    let one = call(platform, Method::GET, &path("secretive", "/secrets/KEY"), None).await?;
    assert_eq!(result(&one)?["name"], "KEY");
    assert!(!one.text().contains("value"), "{}", one.text());

    // wrangler sends `keep_bindings` with each deploy. A deploy without it removes the secret.
    let keeping = script
        .clone()
        .with("keep_bindings", json!(["secret_text", "secret_key"]));
    platform.deploy(STAGING, "secretive", &keeping).await?;
    assert_eq!(text(platform, "secretive").await?, "value");
    result(&call(platform, Method::DELETE, &path("secretive", "/secrets/KEY"), None).await?)?;
    assert_eq!(text(platform, "secretive").await?, "undefined");
    let missing = call(platform, Method::DELETE, &path("secretive", "/secrets/KEY"), None).await?;
    assert_eq!((missing.status.as_u16(), error(&missing)?.0), (404, 10056));
    Ok(())
}

#[end_to_end::test]
async fn replaces_adds_and_removes_tags() -> Result<()> {
    let platform = Platform::shared();
    platform
        .deploy(STAGING, "tagged", &Script::answering("tagged"))
        .await?;
    let tags = async || result(&call(platform, Method::GET, &path("tagged", "/tags"), None).await?);
    assert_eq!(tags().await?, json!([]));
    result(
        &call(
            platform,
            Method::PUT,
            &path("tagged", "/tags"),
            Some(json!(["a", "b"])),
        )
        .await?,
    )?;
    result(&call(platform, Method::PUT, &path("tagged", "/tags/c"), None).await?)?;
    result(&call(platform, Method::DELETE, &path("tagged", "/tags/a"), None).await?)?;
    assert_eq!(tags().await?, json!(["b", "c"]));
    let nine: Vec<String> = (0..9).map(|number| format!("tag-{number}")).collect();
    let too_many = call(platform, Method::PUT, &path("tagged", "/tags"), Some(json!(nine))).await?;
    assert_eq!(too_many.status, 400, "Cloudflare permits eight tags");
    assert_eq!(tags().await?, json!(["b", "c"]));
    assert_eq!(text(platform, "tagged").await?, "tagged");
    Ok(())
}

#[end_to_end::test]
async fn namespaces_share_no_script() -> Result<()> {
    let platform = Platform::shared();
    for environment in Environment::ALL {
        let script = Script::answering(environment.name());
        platform.deploy(environment, "apart", &script).await?;
    }
    platform.delete(STAGING, "apart").await?;
    assert_eq!(platform.get("apart.do", "/").await?.text(), "production");
    assert_eq!(platform.get("dev.apart.do", "/").await?.text(), "development");
    assert_eq!(platform.get("staging.apart.do", "/").await?.status, 404);
    Ok(())
}
