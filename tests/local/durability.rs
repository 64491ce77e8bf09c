//! What was acknowledged is there after a restart and after a power cut, and is whole; `--reset` starts empty.

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
/// Scripts that are deployed at once while the power is cut.
const WRITERS: u32 = 4;
/// Deploys of each that are acknowledged first, so that the cut comes in the middle.
const ACKNOWLEDGED_FIRST: u32 = 3;

/// Three parts of one version, which must never be seen mixed. The filler makes a deploy take its time.
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

/// The one version that a script is of.
async fn whole(platform: &Platform, name: &str) -> Result<u32> {
    let answer = platform.get(&format!("{name}.do"), "/").await?;
    let text = answer.text();
    let parts: Vec<u32> = text.split(' ').filter_map(|part| part.parse().ok()).collect();
    ensure!(parts.len() == 4, "{name}: {} {text}", answer.status);
    ensure!(
        parts.iter().all(|part| *part == parts[0]),
        "half a script: {text}"
    );
    Ok(parts[0])
}

/// Deploys version after version until the platform is gone; notes what was acknowledged.
async fn deploy_until_the_cut(
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

async fn cut_the_power_during_deploys(platform: Platform) -> Result<Platform> {
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let name = format!("cut-{writer}");
        platform.deploy(PRODUCTION, &name, &version(1)).await?;
        let path = platform.script_path(PRODUCTION, &name);
        let url = format!("http://localhost:{}{path}", platform.port());
        let acknowledged = Arc::new(AtomicU32::new(1));
        let token = platform.token().to_owned();
        let deploys = deploy_until_the_cut(reqwest::Client::new(), url, token, Arc::clone(&acknowledged));
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
        "something of the killed platform lives on"
    );
    for (name, acknowledged, deploys) in writers {
        deploys.await?;
        let acknowledged = acknowledged.load(SeqCst);
        let there = whole(&platform, &name).await?;
        // The one that was under way may have made it without being acknowledged.
        assert!(
            there == acknowledged || there == acknowledged + 1,
            "{name}: {there} is there, {acknowledged} was acknowledged"
        );
    }
    Ok(platform)
}

/// One test, because each step needs what the one before left, and a start takes its time.
#[end_to_end::test]
async fn restarts_and_power_cuts_keep_everything_and_reset_nothing() -> Result<()> {
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
    assert_eq!(platform.token(), token, "a restart keeps the token");
    assert_eq!(platform.get("kept.do", "/").await?.text(), "production!");
    assert_eq!(platform.get("staging.kept.do", "/").await?.text(), "staging!");
    let deleted = platform.get("dev.kept.do", "/").await?;
    assert_eq!(deleted.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    let tags = format!("{}/tags", platform.script_path(PRODUCTION, "kept"));
    let tags = Answer::read(platform.api(Method::GET, &tags).send().await?).await?;
    assert_eq!(tags.json()["result"], json!(["kept"]));

    let mut platform = platform;
    for _ in 0..2 {
        platform = cut_the_power_during_deploys(platform).await?;
        assert_eq!(platform.get("kept.do", "/").await?.text(), "production!");
    }

    let platform = platform.restart_with(Options::new().rest_api().reset());
    assert_ne!(
        platform.token(),
        token,
        "an empty platform has a token of its own"
    );
    for name in ["kept", "cut-0"] {
        let answer = platform.get(&format!("{name}.do"), "/").await?;
        assert_eq!(answer.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    }
    Ok(())
}

/// They are put in an order; what is there in the end is one of them, whole, and the last that was acknowledged of each.
#[end_to_end::test]
async fn two_deploys_at_once_give_one_whole_script() -> Result<()> {
    let platform = Platform::shared();
    for round in 0..5 {
        let numbers = [round * 2 + 1, round * 2 + 2];
        let deploy = async |number: u32| platform.deploy(PRODUCTION, "contended", &version(number)).await;
        let (first, second) = tokio::join!(deploy(numbers[0]), deploy(numbers[1]));
        let ids = [first?["deployment_id"].clone(), second?["deployment_id"].clone()];
        assert_ne!(ids[0], ids[1]);
        let there = whole(platform, "contended").await?;
        assert!(numbers.contains(&there), "{there} is neither of {numbers:?}");
    }
    Ok(())
}
