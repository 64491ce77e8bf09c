//! `migrate` on forty account Workers of every kind: plan, run, verify, cutover, undo, and once more with a kill of each step.

mod forty;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use end_to_end::{Account, Command, Finished};
use rand::random_range;
use serde_json::Value;

use self::forty::{Forty, LIMIT, json_of, plain};
use crate::program::{assert_contains, platform};
use crate::shapes::assert_shape;

/// A member of each Worker of a list, by the name in the account without the prefix.
fn by_name(list: &Value, prefix: &str, member: &str) -> BTreeMap<String, String> {
    let list = list.as_array().into_iter().flatten();
    list.map(|worker| {
        let text = |name: &str| worker[name].as_str().unwrap_or("null").to_owned();
        (text("from").trim_start_matches(prefix).to_owned(), text(member))
    })
    .collect()
}

fn of<'a>(found: &'a BTreeMap<String, String>, value: &str) -> Vec<&'a str> {
    found
        .iter()
        .filter(|(_, found)| *found == value)
        .map(|(name, _)| name.as_str())
        .collect()
}

#[end_to_end::test]
async fn forty_account_workers_move_and_come_back() -> Result<()> {
    let account = Account::of(platform())?;
    let forty = Forty::prepare("mg-", &account).await?;
    let begin = Instant::now();
    let plan = forty.plan(&account).await?;
    let workers = plan["workers"].as_array().context("workers")?;
    assert_eq!(workers.len(), 40);
    assert_shape("migrate-plan", &plan);
    let verdicts = by_name(&plan["workers"], "mg-", "verdict");
    assert_eq!(
        of(&verdicts, "stays"),
        ["clock", "jobs", "night", "room", "trace"]
    );
    assert_eq!(
        of(&verdicts, "needs"),
        ["admin", "api03", "bank", "empty-room", "mail", "paid", "site"]
    );
    let means = by_name(&plan["workers"], "mg-", "by");
    assert_eq!(of(&means, "wrangler"), ["empty-room", "site"]);
    assert_eq!(
        of(&means, "none"),
        ["admin", "clock", "jobs", "night", "room", "trace"]
    );
    let text = plan.to_string();
    assert_contains(
        &text,
        &[
            "names props of mg-api02",
            "cron triggers",
            "consumes queues",
            "have data",
            "static assets",
            "mg-my-worker",
            "mg-clock stay in the account and call it",
        ],
    );
    let targets = by_name(&plan["workers"], "mg-", "environment");
    assert_eq!(of(&targets, "staging"), ["auth-staging", "web-staging"]);
    assert_eq!(of(&targets, "development"), ["shop-dev"]);

    // Without the secrets, all others are imported.
    let file = forty.path("plan.jsonc");
    let incomplete = forty.json(&account, 1, &["run", &file, "--yes"]).await?;
    assert_eq!(
        of(&by_name(&incomplete["workers"], "mg-", "outcome"), "failed"),
        ["bank", "mail", "paid"]
    );
    let done = forty.run(&account).await?;
    assert_shape("migrate-run", &done);
    let outcomes = by_name(&done["workers"], "mg-", "outcome");
    assert_eq!(of(&outcomes, "imported"), ["bank", "mail", "paid"]);
    assert_eq!(of(&outcomes, "wrangler"), ["empty-room", "site"]);
    assert_eq!(of(&outcomes, "current").len(), 29);

    // A service binding between Workers that moved stays in the namespace, although the account has them still.
    let requests = forty.path("requests.ndjson");
    fs::write(
        &requests,
        "{\"path\": \"/a?b=1\"}\n{\"path\": \"/x\", \"method\": \"HEAD\"}\n{\"path\": \"/\", \"method\": \"POST\"}\n",
    )?;
    let verify = ["verify", &file, "--requests", &requests];
    let verified = forty.json(&account, 0, &verify).await?;
    assert_shape("migrate-verify", &verified);
    assert_eq!(verified["compared"], 64, "{verified}");
    account.upload("mg-api05", &plain("changed")).await?;
    let different = forty
        .json(&account, 1, &[&verify[..], &["mg-api05"]].concat())
        .await?;
    assert_contains(&different.to_string(), &["line 1: changed", "line 1: api05"]);
    let again = forty.run(&account).await?;
    assert_eq!(
        of(&by_name(&again["workers"], "mg-", "outcome"), "imported"),
        ["api05"]
    );

    let before = account.routes(&forty.zone).await?;
    let listed = forty
        .cutover(&account, &["--json"])?
        .variable("CLOUDFLARE_API_TOKEN", "")
        .run()
        .await?;
    assert_eq!(json_of(&listed, 1, &["cutover"])?["made"], 0);
    assert_eq!(account.routes(&forty.zone).await?, before);
    // The host without a rule is not touched, and the exit code says so.
    let cutover = forty.cutover(&account, &["--yes", "--json"])?;
    let (finished, reads) = forty.watched(&account, cutover).await?;
    assert!(reads > 0, "the hosts were not watched");
    let moved = json_of(&finished, 1, &["cutover"])?;
    assert_shape("migrate-cutover", &moved);
    assert_eq!(moved["made"], 4, "{moved}");
    assert_eq!(moved["blocked"][0]["worker"], "mg-api03", "{moved}");
    let scripts: BTreeMap<_, _> = account.routes(&forty.zone).await?.into_iter().collect();
    assert_eq!(scripts["mg-zone.example/*"], "dispatcher");
    assert_eq!(scripts["web.mg-zone.example/*"], "dispatcher");
    assert_eq!(scripts["lost.mg-zone.example/*"], "mg-api03");
    assert_eq!(scripts["cron.mg-zone.example/*"], "mg-clock");
    // All but that Worker: the end lists what can be deleted.
    let finished = forty
        .cutover(&account, &["--yes", "mg-api00", "mg-api01", "mg-web-staging"])?
        .run()
        .await?;
    assert_contains(
        &finished.output,
        &[
            "npx wrangler delete --name mg-api00",
            "mg-api01 must stay",
            "attach web.mg-zone.example to dispatcher",
        ],
    );
    let undo = forty.cutover(&account, &["--undo", "--yes", "--json"])?;
    let (back, reads) = forty.watched(&account, undo).await?;
    assert!(reads > 0, "the hosts were not watched");
    assert_eq!(json_of(&back, 0, &["cutover", "--undo"])?["made"], 4);
    assert_eq!(account.routes(&forty.zone).await?, before);
    let took = begin.elapsed();
    ensure!(took < LIMIT, "the migration took {took:?}");
    println!("the migration took {took:?}");
    Ok(())
}

/// Starts a command and kills it after a random time, then runs it to its end.
async fn interrupted(begin: impl Fn() -> Result<Command>, most: u64) -> Result<Finished> {
    let mut child = begin()?
        .into_std()
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    let milliseconds = random_range(20..most);
    println!("killed after {milliseconds} ms");
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    let _ = child.kill();
    child.wait()?;
    begin()?.run().await
}

#[end_to_end::test]
async fn a_migration_that_is_killed_at_any_moment_is_continued() -> Result<()> {
    let account = Account::of(platform())?;
    let forty = Forty::prepare("mk-", &account).await?;
    forty.plan(&account).await?;
    let (plan, secrets) = (forty.path("plan.jsonc"), forty.path("secrets.json"));
    let run = ["run", &plan, "--secrets-file", &secrets, "--yes", "--json"];
    let done = interrupted(|| Forty::command(&account, &run), 6_000).await?;
    let outcomes = by_name(&json_of(&done, 0, &run)?["workers"], "mk-", "outcome");
    assert_eq!(
        of(&outcomes, "imported").len() + of(&outcomes, "current").len(),
        32,
        "{outcomes:?}"
    );
    let api = platform().deploy_api();
    for worker in ["mk-api00", "mk-my-worker", "mk-paid"] {
        let imports = api
            .deployments(dotdo_names::Environment::Production, worker)
            .await?;
        let succeeded = imports
            .iter()
            .filter(|import| import["state"] == "succeeded")
            .count();
        assert!((1..=2).contains(&succeeded), "{worker}: {imports:?}");
    }
    let before = account.routes(&forty.zone).await?;
    // The host without a rule.
    let finished = interrupted(|| forty.cutover(&account, &["--yes", "--json"]), 1_500).await?;
    let moved = json_of(&finished, 1, &["cutover"])?;
    assert_eq!(moved["steps"].as_array().map(Vec::len), Some(4), "{moved}");
    let leads = account.routes(&forty.zone).await?;
    assert_eq!(
        leads.iter().filter(|(_, script)| script == "dispatcher").count(),
        4
    );
    for (pattern, _) in &before {
        assert!(
            leads
                .iter()
                .any(|(other, script)| other == pattern && !script.is_empty()),
            "{pattern}"
        );
    }
    let finished = interrupted(|| forty.cutover(&account, &["--undo", "--yes", "--json"]), 1_500).await?;
    json_of(&finished, 0, &["cutover", "--undo"])?;
    assert_eq!(account.routes(&forty.zone).await?, before);
    Ok(())
}
