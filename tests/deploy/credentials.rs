//! The credentials in the file `.env`: wrangler reads them, and `wrangler dev` does not pass them to the Worker.

use std::fs;

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{
    Project, WranglerDev,
    wrangler::{self, Version},
};
use serde_json::json;

use crate::{
    platforms::{platform, text},
    wrangler_deploys::named,
};

#[end_to_end::test]
async fn wrangler_reads_the_credentials_and_does_not_pass_them_to_the_worker() -> Result<()> {
    let platform = platform();
    for version in Version::ALL {
        let name = named("discreet", version);
        let project = Project::new(&name)?
            .file(
                "index.js",
                "export default { fetch(request, env) { return Response.json(Object.keys(env).sort()); } };",
            )?
            // The runtime of the older version supports no later date.
            .setting("compatibility_date", json!("2026-04-01"))?;
        fs::copy(platform.state().join(".env"), project.path(".env"))?;
        let deploy = ["deploy", "--dispatch-namespace", Staging.namespace()];
        wrangler::run_without_variables(version, project.folder(), &deploy)
            .await?
            .success()?;
        assert_eq!(text(platform, Staging, &name).await?, r#"["VERSION"]"#);
        let dev = WranglerDev::start_in(version, project.folder()).await?;
        let keys = dev.get("localhost", "/").await?.json();
        assert_eq!(keys, json!(["VERSION"]), "{version:?}");
        // Its own variables are in another file.
        drop(dev);
        let project = project.file(".dev.vars", "OWN=1\n")?;
        let dev = WranglerDev::start_in(version, project.folder()).await?;
        let keys = dev.get("localhost", "/").await?.json();
        assert_eq!(keys, json!(["OWN", "VERSION"]), "{version:?}");
    }
    Ok(())
}
