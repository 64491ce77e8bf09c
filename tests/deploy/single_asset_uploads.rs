//! Static assets that wrangler since 4.141 uploads one file at a time, and earlier versions in forms.

use anyhow::{Context, Result};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, Relay, worker_path, wrangler::Version};
use serde_json::json;

use crate::platforms::{host, platform};
use crate::wrangler_deploys::named;

/// The paths of the uploads below `…/workers/assets/upload`, sorted.
fn uploads(relay: &Relay) -> Vec<String> {
    let mut paths: Vec<String> = relay
        .requests("/workers/assets/upload")
        .iter()
        .filter_map(|request| request.path.split("/workers/assets/upload").nth(1))
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths
}

/// Deploys into staging through the relay.
async fn deploy(project: &Project, relay: &Relay, version: Version) -> Result<()> {
    relay.remove_requests();
    let base_url = format!("{}/client/v4", relay.origin());
    project
        .call(platform(), version)
        .at(&base_url)
        .run(&["deploy", "--dispatch-namespace", Staging.namespace()])
        .await?
        .success()?;
    Ok(())
}

fn relay() -> Result<Relay> {
    let origin = platform()
        .base_url()
        .strip_suffix("/client/v4")
        .context("the base URL has another path")?;
    Relay::start(origin)
}

#[end_to_end::test]
async fn single_files_are_served_and_restored_as_forms_are() -> Result<()> {
    let platform = platform();
    let relay = relay()?;
    for version in Version::ALL {
        let name = named("singles", version);
        // Larger than what the gateway keeps in memory, and of a length that needs padding in base64.
        let film = [name.as_bytes(), &[0, 255, 7].repeat(1024 * 1024)].concat();
        let project = Project::new(&name)?
            .file("public/index.html", format!("<h1>first of {name}</h1>"))?
            .file("public/film.bin", &film)?
            .file("public/empty.txt", "")?
            .setting("assets", json!({ "directory": "public" }))?;
        deploy(&project, &relay, version).await?;
        let paths = uploads(&relay);
        match version {
            Version::V4_86 => assert_eq!(paths, ["?base64=true"]),
            Version::V4_152 => {
                assert_eq!(paths.len(), 3, "{paths:?}");
                assert!(paths.iter().all(|path| path.len() == 33), "{paths:?}");
            }
        }
        let get = async |path| platform.get(&host(Staging, &name), path).await;
        assert_eq!(get("/").await?.text(), format!("<h1>first of {name}</h1>"));
        assert!(get("/film.bin").await?.body == film);
        assert_eq!(get("/empty.txt").await?.text(), "");
        let path = format!("{}/promote", worker_path(Staging, &name));
        let to_production = json!({ "to": Production.namespace(), "variables": "copy_new" });
        platform.deploy_api().post(&path, &to_production).await?;
        let promoted = async |path| platform.get(&host(Production, &name), path).await;
        assert_eq!(promoted("/").await?.text(), format!("<h1>first of {name}</h1>"));
        assert!(promoted("/film.bin").await?.body == film);
        assert_eq!(promoted("/empty.txt").await?.text(), "");

        let project = project
            .file("public/index.html", format!("<h1>second of {name}</h1>"))?
            .file("public/film.bin", "short")?;
        deploy(&project, &relay, version).await?;
        assert_eq!(get("/").await?.text(), format!("<h1>second of {name}</h1>"));
        let path = format!("{}/rollback", worker_path(Staging, &name));
        platform.deploy_api().post(&path, &json!({})).await?;
        assert_eq!(get("/").await?.text(), format!("<h1>first of {name}</h1>"));
        assert!(get("/film.bin").await?.body == film);
    }
    Ok(())
}

#[end_to_end::test]
async fn more_than_100_missing_files_are_uploaded_in_forms() -> Result<()> {
    let relay = relay()?;
    let mut project = Project::new("many-files")?.setting("assets", json!({ "directory": "public" }))?;
    for number in 0..101 {
        project = project.file(&format!("public/{number}.txt"), format!("text {number}"))?;
    }
    deploy(&project, &relay, Version::V4_152).await?;
    let paths = uploads(&relay);
    assert!(!paths.is_empty());
    assert!(paths.iter().all(|path| path == "?base64=true"), "{paths:?}");
    let text = platform().get(&host(Staging, "many-files"), "/100.txt").await?;
    assert_eq!(text.text(), "text 100");
    Ok(())
}
