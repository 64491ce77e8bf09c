//! Account Workers: stock wrangler deploys them without a namespace, and their crons run by the clock.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{
    Options, Platform, Project, until,
    wrangler::{Call, Run, Version},
};
use serde_json::json;

/// wrangler with the account's variables of `npm run dev`. It must succeed.
async fn wrangler(
    platform: &Platform,
    version: Version,
    project: &Project,
    arguments: &[&str],
) -> Result<Run> {
    let base_url = platform.account_base_url();
    // Only `secret put` reads its standard input.
    let call = Call::new(platform, version, project.folder())
        .at(&base_url)
        .with_input("s3cret");
    call.run(arguments).await?.success()
}

/// The text that an account Worker returns.
async fn text(platform: &Platform, worker: &str) -> Result<String> {
    let host = format!("{worker}.workers.dev.localhost");
    Ok(platform.get(&host, "/").await?.text())
}

const SERVICE: &str = "import { WorkerEntrypoint } from 'cloudflare:workers';
    export default class extends WorkerEntrypoint {
        fetch() { return new Response(`VERSION ${this.env.KEY ?? 'without a key'}`); }
        add(a, b) { return a + b; }
    }";

const CALLER: &str = "export default { async fetch(request, env) {
    const response = await env.SERVICE.fetch('https://service/');
    return new Response(`${await response.text()}, ${await env.SERVICE.add(1, 2)}`);
} };";

#[end_to_end::test]
async fn stock_wrangler_manages_account_workers() -> Result<()> {
    let platform = Platform::shared();
    for (version, name) in [(Version::V4_86, "service-86"), (Version::V4_152, "service-152")] {
        let service = |text: &str| {
            Project::new(name)?
                .file("index.js", SERVICE.replace("VERSION", text))?
                .setting("workers_dev", json!(true))
        };
        let first = service("first")?;
        wrangler(platform, version, &first, &["deploy"]).await?;
        assert_eq!(text(platform, name).await?, "first without a key");
        let second = service("second")?;
        wrangler(platform, version, &second, &["deploy"]).await?;
        wrangler(platform, version, &second, &["secret", "put", "KEY"]).await?;
        assert_eq!(text(platform, name).await?, "second s3cret");
        let listed = wrangler(platform, version, &second, &["secret", "list"]).await?;
        assert!(listed.output.contains("\"KEY\""), "{}", listed.output);
        wrangler(platform, version, &second, &["deployments", "list"]).await?;

        // A service binding of a Worker in a namespace reaches it.
        let caller = Project::new(&format!("caller-of-{name}"))?
            .file("index.js", CALLER)?
            .setting("services", json!([{ "binding": "SERVICE", "service": name }]))?;
        caller.deploy(platform, version, Staging).await?;
        let answer = platform.get(&format!("staging.caller-of-{name}.do"), "/").await?;
        assert_eq!(answer.text(), "second s3cret, 3");

        wrangler(
            platform,
            version,
            &second,
            &["rollback", "--yes", "--message", "back"],
        )
        .await?;
        assert_eq!(text(platform, name).await?, "second without a key");
        wrangler(platform, version, &second, &["delete", "--force"]).await?;
        let host = format!("{name}.workers.dev.localhost");
        assert_eq!(platform.get(&host, "/").await?.status, 404);
    }
    Ok(())
}

/// The handler counts in KV what the clock starts.
const CRON: &str = "export default {
    async scheduled(controller, env) { await env.KV.put('ran', controller.cron); },
    async fetch(request, env) { return new Response(await env.KV.get('ran')); },
};";

#[end_to_end::test]
async fn a_cron_runs_by_the_clock() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api().crons());
    let project = Project::new("clock")?
        .file("index.js", CRON)?
        .setting("workers_dev", json!(true))?
        .setting("kv_namespaces", json!([{ "binding": "KV", "id": "c10c" }]))?
        .setting("triggers", json!({ "crons": ["* * * * *"] }))?;
    wrangler(&platform, Version::V4_152, &project, &["deploy"]).await?;
    let ran = until("a run", async || {
        let ran = text(&platform, "clock").await?;
        Ok((!ran.is_empty()).then_some(ran))
    });
    assert_eq!(ran.await?, "* * * * *");
    Ok(())
}
