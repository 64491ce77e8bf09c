//! Rollbacks and promotions restore what a deployment ran with, and values of one namespace reach another only on request.

use anyhow::Result;
use dotdo_names::Environment::{Development, Production, Staging};
use end_to_end::{Project, Script, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms::{BehindRelay, behind_relay, platform, text};
use crate::wrangler_deploys::named;

const ENVIRONMENT_SHOWN: &str =
    "export default { fetch(request, env) { return new Response(`${env.CODE} ${env.API_URL}`); } };";

fn project(name: &str, code: &str, url: Option<&str>) -> Result<Project> {
    let source = ENVIRONMENT_SHOWN.replace("${env.CODE}", code);
    let vars = url.map_or_else(|| json!({}), |url| json!({ "API_URL": url }));
    Project::new(name)?
        .file("index.js", source)?
        .setting("vars", vars)
}

#[end_to_end::test]
async fn kept_variables_are_restored_by_rollbacks_and_promotions() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    for version in Version::ALL {
        let name = &named("keeping", version);
        project(name, "1", Some("v1"))?
            .deploy(platform, version, Development)
            .await?;
        let deploy = [
            "deploy",
            "--dispatch-namespace",
            Development.namespace(),
            "--keep-vars",
        ];
        project(name, "2", None)?
            .wrangler(platform, version, &deploy)
            .await?
            .success()?;
        assert_eq!(text(platform, Development, name).await?, "2 v1");
        project(name, "3", Some("v3"))?
            .deploy(platform, version, Development)
            .await?;
        assert_eq!(text(platform, Development, name).await?, "3 v3");
        let second = api.deployments(Development, name).await?.swap_remove(1);
        assert_eq!(second["redeployable"]["exact"], true, "{second}");

        let path = worker_path(Development, name);
        api.post(&format!("{path}/rollback"), &json!({})).await?;
        assert_eq!(text(platform, Development, name).await?, "2 v1");
        let body = json!({ "to": Staging.namespace(), "deployment": second["id"], "variables": "copy" });
        api.post(&format!("{path}/promote"), &body).await?;
        assert_eq!(text(platform, Staging, name).await?, "2 v1");
    }
    Ok(())
}

/// A script with a variable and a binding to a KV namespace.
fn script(code: &str, url: &str, namespace: &str) -> Script {
    Script::module(&ENVIRONMENT_SHOWN.replace("${env.CODE}", code))
        .with_text("API_URL", url)
        .with_binding(json!({ "type": "kv_namespace", "name": "CACHE", "namespace_id": namespace }))
}

/// The deploy API behind a relay that simulates the namespaces of [`script`].
fn behind_relay_with_namespaces() -> BehindRelay {
    let relayed = behind_relay();
    for id in ["kv-staging", "kv-production"] {
        let path = format!("storage/kv/namespaces/{id}");
        relayed
            .relay
            .set_resource(&path, 200, json!({ "id": id, "title": id }));
    }
    relayed
}

/// The change of a binding in a list of a difference.
fn change<'a>(list: &'a Value, name: &str) -> &'a Value {
    let changes = list.as_array().into_iter().flatten();
    changes
        .into_iter()
        .find(|change| change["name"] == name)
        .unwrap_or(&Value::Null)
}

#[end_to_end::test]
async fn a_promotion_keeps_the_variables_and_the_resources_of_the_target() -> Result<()> {
    let relayed = behind_relay_with_namespaces();
    let (platform, cloudflare) = (relayed.platform, relayed.cloudflare);
    let api = platform.deploy_api();
    platform
        .deploy(Staging, "careful", &script("new", "of-staging", "kv-staging"))
        .await?;
    platform
        .deploy(
            Production,
            "careful",
            &script("old", "of-production", "kv-production"),
        )
        .await?;
    let path = format!("{}/promote", worker_path(Staging, "careful"));
    let body = json!({ "to": Production.namespace() });
    let preview = api.post(&format!("{path}?dry_run=true"), &body).await?;
    assert_eq!(
        text(cloudflare, Production, "careful").await?,
        "old of-production"
    );
    let difference = &preview["difference"];
    assert_eq!(difference["modules"]["changed"], json!(["index.js"]), "{preview}");
    let variable = change(&difference["variables"], "API_URL");
    assert_eq!(
        (&variable["source"], &variable["target"], &variable["from"]),
        (&json!("of-staging"), &json!("of-production"), &json!("target"))
    );
    let binding = change(&difference["bindings"], "CACHE");
    assert_eq!(binding["source"]["namespace_id"], "kv-staging", "{binding}");

    let promoted = api.post(&path, &body).await?;
    assert_eq!(promoted["difference"], *difference, "{promoted}");
    assert_eq!(
        text(cloudflare, Production, "careful").await?,
        "new of-production"
    );
    // A rollback to the promoted deployment restores the values that it ran with.
    let body = json!({ "to": Production.namespace(), "variables": "copy" });
    api.post(&path, &body).await?;
    assert_eq!(text(cloudflare, Production, "careful").await?, "new of-staging");
    let body = json!({ "deployment": promoted["id"] });
    api.post(&format!("{}/rollback", worker_path(Production, "careful")), &body)
        .await?;
    assert_eq!(
        text(cloudflare, Production, "careful").await?,
        "new of-production"
    );
    Ok(())
}

#[end_to_end::test]
async fn a_promotion_of_new_variables_and_resources_needs_consent() -> Result<()> {
    let relayed = behind_relay_with_namespaces();
    let (platform, cloudflare) = (relayed.platform, relayed.cloudflare);
    let api = platform.deploy_api();
    platform
        .deploy(Staging, "hesitant", &script("new", "of-staging", "kv-staging"))
        .await?;
    let path = format!("{}/promote", worker_path(Staging, "hesitant"));
    let body = json!({ "to": Production.namespace() });
    let refused = api.send(Method::POST, &path, Some(&body)).await?;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["code"], "PROMOTION_INCOMPLETE");
    for part in ["API_URL", "CACHE", "namespace_id", "copy_new"] {
        assert!(refused.text().contains(part), "no {part}: {}", refused.text());
    }
    let preview = api.post(&format!("{path}?dry_run=true"), &body).await?;
    assert_eq!(preview["problem"]["code"], "PROMOTION_INCOMPLETE", "{preview}");
    let body = json!({
        "to": Production.namespace(),
        "values": { "API_URL": "given" },
        "bindings": { "CACHE": { "namespace_id": "kv-production" } },
    });
    let promoted = api.post(&path, &body).await?;
    assert_eq!(text(cloudflare, Production, "hesitant").await?, "new given");
    assert_eq!(
        change(&promoted["difference"]["variables"], "API_URL")["from"],
        "given"
    );
    Ok(())
}

#[end_to_end::test]
async fn a_rollback_of_a_deleted_worker_takes_its_secrets() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let script = Script::module("export default { fetch(request, env) { return new Response(env.KEY); } };")
        .with_binding(json!({ "type": "secret_text", "name": "KEY", "text": "first" }));
    platform.deploy(Staging, "revived", &script).await?;
    let id = api.deployments(Staging, "revived").await?[0]["id"].clone();
    let path = worker_path(Staging, "revived");
    api.call(Method::DELETE, &path, None).await?;
    let path = format!("{path}/rollback");
    let refused = api
        .send(Method::POST, &path, Some(&json!({ "deployment": id })))
        .await?;
    assert_eq!(refused.json()["code"], "SECRETS_MISSING", "{}", refused.text());
    let fix = refused.json()["fix"].to_string();
    assert!(fix.contains("secrets") && !fix.contains("PUT"), "{fix}");
    let body = json!({ "deployment": id, "secrets": { "KEY": "second" } });
    api.post(&path, &body).await?;
    assert_eq!(text(platform, Staging, "revived").await?, "second");
    Ok(())
}
