//! Commands of stock wrangler other than `deploy`: the supported ones, and what the unsupported ones print.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, wrangler::Version};
use serde_json::{Value, json};

use crate::platforms::{platform, text};

/// A token that permits changes of the secrets of one Worker in one namespace.
async fn token_for_secrets(subject: &str, worker: &str) -> Result<String> {
    let api = platform().deploy_api();
    let grant = json!({
        "namespaces": [Staging.namespace()], "workers": [worker], "actions": ["read", "deploy", "secrets"]
    });
    let mut rule = grant.clone();
    rule["name"] = json!(subject);
    rule["who"] = json!({ "token": subject });
    api.allow(rule).await?;
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    api.make_token(subject, &json!([grant]), &expires.to_string())
        .await
}

#[end_to_end::test]
async fn puts_lists_and_deletes_secrets_with_a_token_for_one_namespace() -> Result<()> {
    let platform = platform();
    let name = "secretive";
    let project = Project::new(name)?.file(
        "index.js",
        "export default { fetch(request, env) { return new Response(String(env.KEY)); } };",
    )?;
    let token = token_for_secrets(name, name).await?;
    let call = project.call(platform, Version::V4_152).with_token(&token);
    call.run(&["deploy", "--dispatch-namespace", Staging.namespace()])
        .await?
        .success()?;
    assert_eq!(text(platform, Staging, name).await?, "undefined");
    call.clone()
        .with_input("of wrangler secret")
        .run(&["secret", "put", "KEY"])
        .await?
        .success()?;
    assert_eq!(text(platform, Staging, name).await?, "of wrangler secret");
    let list = call.run(&["secret", "list"]).await?.success()?;
    assert!(list.output.contains("KEY"), "{}", list.output);
    assert!(!list.output.contains("of wrangler"), "{}", list.output);
    call.run(&["secret", "delete", "KEY"]).await?.success()?;
    assert_eq!(text(platform, Staging, name).await?, "undefined");
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_secret_for_several_namespaces_and_names_the_call_to_use() -> Result<()> {
    let platform = platform();
    let project = Project::new("everywhere")?;
    for environment in [Production, Staging] {
        project.deploy(platform, Version::V4_152, environment).await?;
    }
    let run = project
        .call(platform, Version::V4_152)
        .with_input("value")
        .run(&["secret", "put", "KEY"])
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740121]"), "{}", run.output);
    assert!(
        run.output.contains("/workers/everywhere/secrets"),
        "{}",
        run.output
    );
    Ok(())
}

#[end_to_end::test]
async fn sets_several_secrets_from_a_file() -> Result<()> {
    let platform = platform();
    let name = "bulk";
    let project = Project::new(name)?
        .file(
            "index.js",
            "export default { fetch(request, env) { return new Response([env.ONE, env.TWO, env.VERSION].join(' ')); } };",
        )?
        .file("secrets.json", json!({ "ONE": "1", "TWO": "2" }).to_string())?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let call = project.call(platform, Version::V4_152);
    let run = call.run(&["secret", "bulk", "secrets.json"]).await?.success()?;
    assert!(!run.output.contains("[code:"), "{}", run.output);
    assert_eq!(text(platform, Staging, name).await?, "1 2 1");
    let entries = platform
        .deploy_api()
        .audit(&format!("worker={name}&verb=secrets_bulk"))
        .await?;
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(entries[0]["subject"]["set"], json!(["ONE", "TWO"]));
    // In a second namespace, the calls are ambiguous, and the error has the choices.
    project.deploy(platform, Version::V4_152, Production).await?;
    let run = call.run(&["secret", "bulk", "secrets.json"]).await?.failure()?;
    let output = unwrapped(&run.output);
    assert!(output.contains("[code: 740121]"), "{output}");
    assert!(output.contains("namespaces/dotdo-staging/workers/"), "{output}");
    assert!(!output.contains("create a new Worker"), "{output}");
    assert_eq!(text(platform, Production, name).await?, "  1", "{output}");
    // A deploy looks up the same settings, and needs none.
    let project = project.version("2")?;
    project.deploy(platform, Version::V4_152, Production).await?;
    assert_eq!(text(platform, Production, name).await?, "  2");
    Ok(())
}

/// The output without line breaks: wrangler wraps long lines.
pub fn unwrapped(output: &str) -> String {
    output.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[end_to_end::test]
async fn rejects_a_global_api_key() -> Result<()> {
    let platform = platform();
    let answer = platform
        .anonymous(reqwest::Method::GET, "/client/v4/accounts")
        .header("X-Auth-Key", "0123456789abcdef")
        .header("X-Auth-Email", "a@example.com")
        .send()
        .await?;
    assert_eq!(answer.status(), 401);
    let body: Value = answer.json().await?;
    assert_eq!(body["errors"][0]["code"], 740_102, "{body}");
    Ok(())
}
