//! Acknowledged deploys are complete after a restart and after a power failure. `--reset` starts with an empty platform.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::{Answer, Options, Platform, Script, processes};
use reqwest::Method;
use serde_json::json;

const PRODUCTION: Environment = Environment::Production;
/// The number of scripts that are deployed at the same time when the power fails.
const WRITERS: u32 = 4;
/// The number of acknowledged deploys of each script before the power failure.
const ACKNOWLEDGED_FIRST: u32 = 3;

/// A script whose response contains its version four times, from three parts of the upload. The filler makes the upload
/// large, so that the deploy takes longer.
fn version(number: u32) -> Script {
    Script::module(
        "import part from './part.js';
        import filler from './filler.txt';
        export default { fetch(request, env) {
            return new Response(`${part} ${filler.slice(0, 8)} ${filler.slice(-8)} ${env.VERSION}`);
        } };",
    )
    .with_module(
        "part.js",
        "application/javascript+module",
        format!("export default {number};"),
    )
    .with_module("filler.txt", "text/plain", format!("{number:08}").repeat(100_000))
    .with_text("VERSION", &number.to_string())
}

/// The version that a script serves.
///
/// # Errors
/// When its parts are of different versions.
async fn served_version(platform: &Platform, name: &str) -> Result<u32> {
    let answer = platform.get(&format!("{name}.do"), "/").await?;
    let text = answer.text();
    let parts: Vec<u32> = text.split(' ').filter_map(|part| part.parse().ok()).collect();
    ensure!(parts.len() == 4, "{name}: {} {text}", answer.status);
    ensure!(
        parts.iter().all(|part| *part == parts[0]),
        "parts of different versions: {text}"
    );
    Ok(parts[0])
}

/// Deploys one version after the other until the platform is killed, and stores the last acknowledged one.
async fn deploy_until_killed(
    client: reqwest::Client,
    url: String,
    token: String,
    acknowledged: Arc<AtomicU32>,
) {
    for number in 2.. {
        let form = version(number).to_form();
        let call = client.put(&url).bearer_auth(&token).multipart(form);
        let Ok(answer) = call.send().await else { return };
        if answer.status() != 200 || answer.bytes().await.is_err() {
            return;
        }
        acknowledged.store(number, SeqCst);
    }
}

async fn kill_during_deploys(platform: Platform) -> Result<Platform> {
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let name = format!("cut-{writer}");
        platform.deploy(PRODUCTION, &name, &version(1)).await?;
        let path = platform.script_path(PRODUCTION, &name);
        let url = format!("http://localhost:{}{path}", platform.port());
        let acknowledged = Arc::new(AtomicU32::new(1));
        let token = platform.token().to_owned();
        let deploys = deploy_until_killed(reqwest::Client::new(), url, token, Arc::clone(&acknowledged));
        writers.push((name, acknowledged, tokio::spawn(deploys)));
    }
    while writers
        .iter()
        .any(|(_, acknowledged, _)| acknowledged.load(SeqCst) < ACKNOWLEDGED_FIRST)
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let group = platform.group();
    let platform = platform.kill_and_restart();
    assert_eq!(
        processes::in_group(group)?,
        [],
        "a process of the killed platform is still running"
    );
    for (name, acknowledged, deploys) in writers {
        deploys.await?;
        let acknowledged = acknowledged.load(SeqCst);
        let served = served_version(&platform, &name).await?;
        // The deploy in flight may have succeeded without an acknowledgement.
        assert!(
            served == acknowledged || served == acknowledged + 1,
            "{name}: version {served} is served, version {acknowledged} was acknowledged"
        );
    }
    Ok(platform)
}

/// One test, because each step needs the state of the one before, and a start takes seconds.
#[end_to_end::test]
async fn restarts_and_power_failures_keep_all_deploys_and_reset_keeps_none() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    let token = platform.token().to_owned();
    for environment in Environment::ALL {
        let script =
            Script::module("export default { fetch(request, env) { return new Response(env.A + env.S); } };")
                .with_text("A", environment.name())
                .with_binding(json!({ "type": "secret_text", "name": "S", "text": "!" }))
                .with("tags", json!(["kept"]));
        platform.deploy(environment, "kept", &script).await?;
    }
    platform.delete(Environment::Development, "kept").await?;

    let platform = platform.restart();
    assert_eq!(platform.token(), token, "a restart must keep the token");
    assert_eq!(platform.get("kept.do", "/").await?.text(), "production!");
    assert_eq!(platform.get("staging.kept.do", "/").await?.text(), "staging!");
    let deleted = platform.get("dev.kept.do", "/").await?;
    assert_eq!(deleted.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    let tags = format!("{}/tags", platform.script_path(PRODUCTION, "kept"));
    let tags = Answer::read(platform.api(Method::GET, &tags).send().await?).await?;
    assert_eq!(tags.json()["result"], json!(["kept"]));

    let mut platform = platform;
    for _ in 0..2 {
        platform = kill_during_deploys(platform).await?;
        assert_eq!(platform.get("kept.do", "/").await?.text(), "production!");
    }

    let platform = platform.restart_with(Options::new().rest_api().reset());
    assert_ne!(platform.token(), token, "a reset must create another token");
    for name in ["kept", "cut-0"] {
        let answer = platform.get(&format!("{name}.do"), "/").await?;
        assert_eq!(answer.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    }
    Ok(())
}

#[end_to_end::test]
async fn two_deploys_at_once_result_in_one_complete_script() -> Result<()> {
    let platform = Platform::shared();
    for round in 0..5 {
        let numbers = [round * 2 + 1, round * 2 + 2];
        let deploy = async |number: u32| platform.deploy(PRODUCTION, "contended", &version(number)).await;
        let (first, second) = tokio::join!(deploy(numbers[0]), deploy(numbers[1]));
        let ids = [first?["deployment_id"].clone(), second?["deployment_id"].clone()];
        assert_ne!(ids[0], ids[1]);
        let served = served_version(platform, "contended").await?;
        assert!(
            numbers.contains(&served),
            "version {served} is none of {numbers:?}"
        );
    }
    Ok(())
}
