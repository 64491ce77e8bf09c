//! The commands of `cloudflare/wrangler-action`, in its order and with its variables, after a login.
//! <https://github.com/cloudflare/wrangler-action/blob/main/src/wranglerAction.ts>

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::{
    Platform, Project,
    wrangler::{Run, Version},
};
use serde_json::json;

use crate::{
    platforms::{platform, text},
    wrangler_commands::unwrapped,
    wrangler_deploys::named,
};

/// The inputs of the action, besides `apiToken` and `accountId`.
struct Inputs<'a> {
    /// `secrets`: the names and the values of variables of the job.
    secrets: &'a [(&'a str, &'a str)],
    /// `vars`, likewise.
    vars: &'a [(&'a str, &'a str)],
}

/// Runs the action: the version check, `secret bulk` if there are secrets, and then the command. The first failure ends it.
async fn run(platform: &Platform, version: Version, project: &Project, inputs: &Inputs<'_>) -> Result<Run> {
    let output_folder = project.path("output").display().to_string();
    let call = project
        .call(platform, version)
        .with_variable("WRANGLER_OUTPUT_FILE_DIRECTORY", &output_folder);
    // With an installed version, the action installs no other one.
    let checked = call.run(&["--version"]).await?.success()?;
    ensure!(checked.output.contains("4."), "{}", checked.output);
    if !inputs.secrets.is_empty() {
        let secrets: serde_json::Map<_, _> = inputs
            .secrets
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let body = json!(secrets).to_string();
        let uploaded = call.clone().with_input(&body).run(&["secret", "bulk"]).await?;
        if !uploaded.succeeded {
            return Ok(uploaded);
        }
    }
    let vars: Vec<String> = inputs
        .vars
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    // The input `command`, which the action splits into arguments. The older version keeps secrets only with the last one.
    let mut arguments = vec!["deploy", "--dispatch-namespace", Staging.namespace()];
    if version == Version::V4_86 {
        arguments.push("--keep-vars");
    }
    if !vars.is_empty() {
        arguments.push("--var");
    }
    arguments.extend(vars.iter().map(String::as_str));
    call.run(&arguments).await
}

#[end_to_end::test]
async fn the_action_sets_secrets_and_deploys_a_worker_that_exists() -> Result<()> {
    let platform = platform();
    for version in Version::ALL {
        let name = named("by-action", version);
        let project = Project::new(&name)?.file(
            "index.js",
            "export default { fetch(request, env) { return new Response([env.VERSION, env.KEY, env.MODE].join(' ')); } };",
        )?;
        let inputs = Inputs {
            secrets: &[("KEY", "of the job")],
            vars: &[("MODE", "fast")],
        };
        let refused = run(platform, version, &project, &inputs).await?.failure()?;
        let output = unwrapped(&refused.output);
        assert!(output.contains("--secrets-file"), "{version:?}: {output}");
        assert!(output.contains(&name), "{version:?}: {output}");
        let nothing = platform
            .deploy_api()
            .audit(&format!("worker={name}&outcome=succeeded"))
            .await?;
        assert_eq!(nothing.len(), 0, "{nothing:?}");

        // What the error says: the first deploy sets the secrets.
        let file = project.path("secrets.json");
        std::fs::write(&file, json!({ "KEY": "of the file" }).to_string())?;
        let first = [
            "deploy",
            "--dispatch-namespace",
            Staging.namespace(),
            "--secrets-file",
        ];
        let file = file.to_str().context("a path that is not UTF-8")?;
        project
            .wrangler(platform, version, &[&first[..], &[file]].concat())
            .await?
            .success()?;
        assert_eq!(text(platform, Staging, &name).await?, "1 of the file ");

        let project = project.version("2")?;
        run(platform, version, &project, &inputs).await?.success()?;
        assert_eq!(text(platform, Staging, &name).await?, "2 of the job fast");
        // Without secrets and variables, the action only deploys, and the secret stays.
        let project = project.version("3")?;
        let inputs = Inputs {
            secrets: &[],
            vars: &[],
        };
        run(platform, version, &project, &inputs).await?.success()?;
        let kept = if version == Version::V4_86 { "fast" } else { "" };
        assert_eq!(
            text(platform, Staging, &name).await?,
            format!("3 of the job {kept}")
        );
    }
    Ok(())
}
