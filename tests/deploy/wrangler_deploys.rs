//! Deploys with stock wrangler: its options, modules, assets and migrations.

use anyhow::Result;
use dotdo_names::Environment::{Development, Production, Staging};
use end_to_end::{Project, worker_path, wrangler::Version};
use serde_json::json;

use crate::platforms::{host, platform, served, text};

/// The name of a Worker that only this version of wrangler deploys.
pub fn named(name: &str, version: Version) -> String {
    match version {
        Version::V4_86 => format!("{name}-old"),
        Version::V4_152 => format!("{name}-new"),
    }
}

#[end_to_end::test]
async fn deploys_a_worker_and_deploys_it_again() -> Result<()> {
    let platform = platform();
    for version in Version::ALL {
        let name = named("first", version);
        let project = Project::new(&name)?;
        let run = project.deploy(platform, version, Production).await?;
        assert!(run.output.contains(&name), "{}", run.output);
        assert_eq!(text(platform, Production, &name).await?, "1");
        let project = project.version("2")?;
        project.deploy(platform, version, Production).await?;
        assert_eq!(text(platform, Production, &name).await?, "2");
        assert_eq!(
            served(platform, Staging, &name).await?.header("x-dispatch-error"),
            "WORKER_NOT_DEPLOYED",
            "the Worker must be in one namespace only"
        );
        let deployments = platform.deploy_api().deployments(Production, &name).await?;
        assert_eq!(deployments.len(), 2, "{deployments:?}");
        for deployment in &deployments {
            assert_eq!(deployment["state"], "succeeded", "{deployment}");
        }
        assert_eq!(deployments[0]["previous"], deployments[1]["id"]);
    }
    Ok(())
}

#[end_to_end::test]
async fn a_deployment_has_its_message_its_tag_and_its_address() -> Result<()> {
    let platform = platform();
    for version in Version::ALL {
        let name = named("annotated", version);
        let project = Project::new(&name)?;
        let deploy = ["deploy", "--dispatch-namespace", Staging.namespace()];
        let annotated = ["--message", "fix the login", "--tag", "v1.2"];
        project
            .wrangler(platform, version, &[&deploy[..], &annotated].concat())
            .await?
            .success()?;
        let api = platform.deploy_api();
        let deployments = api.deployments(Staging, &name).await?;
        let expected = json!({ "message": "fix the login", "tag": "v1.2" });
        assert_eq!(deployments[0]["annotations"], expected);
        let entries = api
            .audit(&format!("worker={name}&verb=deploy&outcome=intent"))
            .await?;
        assert_eq!(entries[0]["annotations"], expected);
        let url = deployments[0]["urls"][0].as_str().unwrap_or_default();
        assert_eq!(
            url,
            format!("http://staging.{name}.localhost:{}", platform.port())
        );
        let host = url.trim_start_matches("http://");
        assert_eq!(platform.get(host, "/").await?.text(), "1");
    }
    Ok(())
}

/// A module that exports `seven`, which returns 7, in the binary format of WebAssembly.
const SEVEN: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x07\x09\x01\x05seven\0\0\x0a\x06\x01\x04\0\x41\x07\x0b";

#[end_to_end::test]
async fn deploys_modules_of_every_type_and_a_secrets_file() -> Result<()> {
    let platform = platform();
    for version in Version::ALL {
        let name = named("modules", version);
        let project = Project::new(&name)?
            .file("note.txt", "a text")?
            .file("blob.bin", [0, 255, 128])?
            .file("seven.wasm", SEVEN)?
            .file("secrets.json", json!({ "KEY": "of-secrets-file" }).to_string())?
            .file(
                "index.js",
                r#"import note from "./note.txt";
                import blob from "./blob.bin";
                import seven from "./seven.wasm";
                export default { async fetch(request, env) {
                    const { exports } = new WebAssembly.Instance(seven);
                    return Response.json([note, [...new Uint8Array(blob)], exports.seven(), env.KEY, env.VERSION]);
                } };"#,
            )?;
        project
            .wrangler(
                platform,
                version,
                &[
                    "deploy",
                    "--dispatch-namespace",
                    Production.namespace(),
                    "--secrets-file",
                    "secrets.json",
                ],
            )
            .await?
            .success()?;
        let expected = json!(["a text", [0, 255, 128], 7, "of-secrets-file", "1"]);
        assert_eq!(served(platform, Production, &name).await?.json(), expected);
        if version == Version::V4_86 {
            // It asks to keep the existing secrets only if it uploads some.
            continue;
        }
        // A deploy without the secret keeps it.
        project
            .version("2")?
            .deploy(platform, version, Production)
            .await?;
        let expected = json!(["a text", [0, 255, 128], 7, "of-secrets-file", "2"]);
        assert_eq!(served(platform, Production, &name).await?.json(), expected);
    }
    Ok(())
}

#[end_to_end::test]
async fn uploads_static_assets() -> Result<()> {
    let platform = platform();
    for version in Version::ALL {
        let name = named("pages", version);
        let project = Project::new(&name)?
            .file("public/index.html", "<h1>front page</h1>")?
            .file("public/about.html", "<h1>about</h1>")?
            .setting("assets", json!({ "directory": "public" }))?;
        project.deploy(platform, version, Staging).await?;
        let page = async |path| platform.get(&host(Staging, &name), path).await;
        assert_eq!(page("/").await?.text(), "<h1>front page</h1>");
        assert_eq!(page("/about").await?.text(), "<h1>about</h1>");
        assert_eq!(
            page("/elsewhere").await?.text(),
            "1",
            "the Worker must get other paths"
        );
        // wrangler uploads only the changed page; the other one stays.
        let project = project.file("public/index.html", "<h1>second</h1>")?;
        project.deploy(platform, version, Staging).await?;
        assert_eq!(page("/").await?.text(), "<h1>second</h1>");
        assert_eq!(page("/about").await?.text(), "<h1>about</h1>");
    }
    Ok(())
}

#[end_to_end::test]
async fn applies_durable_object_migrations_once() -> Result<()> {
    let platform = platform();
    for version in Version::ALL {
        let name = named("rooms", version);
        let room = r#"import { DurableObject } from "cloudflare:workers";
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
        let project = Project::new(&name)?
            .file("index.js", room)?
            .setting(
                "durable_objects",
                json!({ "bindings": [{ "name": "ROOM", "class_name": "Room" }] }),
            )?
            .setting(
                "migrations",
                json!([{ "tag": "v1", "new_sqlite_classes": ["Room"] }]),
            )?;
        project.deploy(platform, version, Development).await?;
        assert_eq!(text(platform, Development, &name).await?, "1 1");
        // The second deploy sends no migrations, because wrangler reads the current tag first.
        project
            .version("2")?
            .deploy(platform, version, Development)
            .await?;
        assert_eq!(text(platform, Development, &name).await?, "2 2");
        let deployments = platform.deploy_api().deployments(Development, &name).await?;
        assert_eq!(deployments[0]["migration_tag"], "v1", "{deployments:?}");
    }
    Ok(())
}

#[end_to_end::test]
async fn a_dry_run_deploys_nothing() -> Result<()> {
    let platform = platform();
    let name = "rehearsal";
    let project = Project::new(name)?;
    let arguments = [
        "deploy",
        "--dry-run",
        "--dispatch-namespace",
        Production.namespace(),
    ];
    let run = project
        .wrangler(platform, Version::V4_152, &arguments)
        .await?
        .success()?;
    assert!(run.output.contains("--dry-run: exiting now."), "{}", run.output);
    let answer = platform
        .deploy_api()
        .send(reqwest::Method::GET, &worker_path(Production, name), None)
        .await?;
    assert_eq!(answer.status, 404, "{}", answer.text());
    Ok(())
}

#[end_to_end::test]
async fn rejects_wranglers_env_option_and_names_the_namespace_to_use() -> Result<()> {
    let platform = platform();
    let name = "envs";
    let project = Project::new(name)?.setting(
        "env",
        json!({ "staging": { "vars": { "VERSION": "of the environment" } } }),
    )?;
    let arguments = [
        "deploy",
        "--env",
        "staging",
        "--dispatch-namespace",
        Production.namespace(),
    ];
    let run = project
        .wrangler(platform, Version::V4_152, &arguments)
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740141]"), "{}", run.output);
    assert!(
        run.output.contains("--dispatch-namespace dotdo-staging"),
        "{}",
        run.output
    );
    // Without --env, the same project deploys; wrangler sets its tags afterwards.
    let run = project.deploy(platform, Version::V4_152, Production).await?;
    assert!(!run.output.contains("[code:"), "{}", run.output);
    assert_eq!(text(platform, Production, name).await?, "1");
    Ok(())
}
