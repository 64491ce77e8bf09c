//! Durable Object classes that the wrangler configuration declares with `exports`.

use anyhow::Result;
use dotdo_names::Environment::{Development, Staging};
use end_to_end::{Project, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{platform, text};

const ROOM: &str = r#"import { DurableObject } from "cloudflare:workers";
    export class Room extends DurableObject {
        async count() {
            const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
            await this.ctx.storage.put("count", count);
            return count;
        }
    }
    export default { async fetch(request, env) {
        const room = env.ROOM.get(env.ROOM.idFromName("one"));
        return new Response(`${env.VERSION} ${await room.count()}`);
    } };"#;

const NO_ROOM: &str =
    "export default { fetch(request, env) { return new Response(`${env.VERSION} no room`); } };";

fn with_room(name: &str) -> Result<Project> {
    Project::new(name)?
        .file("index.js", ROOM)?
        .setting(
            "durable_objects",
            json!({ "bindings": [{ "name": "ROOM", "class_name": "Room" }] }),
        )?
        .setting(
            "exports",
            json!({ "Room": { "type": "durable-object", "storage": "sqlite" } }),
        )
}

fn without_room(project: Project) -> Result<Project> {
    project
        .file("index.js", NO_ROOM)?
        .setting("durable_objects", json!({ "bindings": [] }))?
        .setting(
            "exports",
            json!({ "Room": { "type": "durable-object", "state": "deleted" } }),
        )
}

#[end_to_end::test]
async fn a_rollback_across_a_deleted_class_is_refused() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let project = with_room("exporting")?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    assert_eq!(text(platform, Staging, "exporting").await?, "1 1");
    let project = project.version("2")?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    assert_eq!(
        text(platform, Staging, "exporting").await?,
        "2 2",
        "the objects are kept"
    );

    // The classes are the same, so a rollback keeps the objects.
    let path = format!("{}/rollback", worker_path(Staging, "exporting"));
    api.post(&path, &json!({})).await?;
    assert_eq!(text(platform, Staging, "exporting").await?, "1 3");

    without_room(project.version("3")?)?
        .deploy(platform, Version::V4_152, Staging)
        .await?;
    assert_eq!(text(platform, Staging, "exporting").await?, "3 no room");
    let refused = api.send(Method::POST, &path, Some(&json!({}))).await?;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["code"], "MIGRATION_UNKNOWN");
    assert!(refused.text().contains("Room"), "{}", refused.text());
    assert_eq!(text(platform, Staging, "exporting").await?, "3 no room");
    Ok(())
}

#[end_to_end::test]
async fn a_promotion_creates_and_deletes_the_classes_of_exports() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = format!("{}/promote", worker_path(Development, "exported"));
    let to_staging = json!({ "to": Staging.namespace(), "variables": "copy" });
    let project = with_room("exported")?;
    project.deploy(platform, Version::V4_152, Development).await?;
    api.post(&path, &to_staging).await?;
    assert_eq!(text(platform, Staging, "exported").await?, "1 1");
    without_room(project.version("2")?)?
        .deploy(platform, Version::V4_152, Development)
        .await?;
    api.post(&path, &to_staging).await?;
    assert_eq!(text(platform, Staging, "exported").await?, "2 no room");
    let path = format!("{}/rollback", worker_path(Staging, "exported"));
    let refused = api.send(Method::POST, &path, Some(&json!({}))).await?;
    assert_eq!(refused.json()["code"], "MIGRATION_UNKNOWN", "{}", refused.text());
    Ok(())
}
