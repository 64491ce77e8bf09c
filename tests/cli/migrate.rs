//! `migrate` on forty account Workers of every kind: plan, run, verify, cutover, undo, and once more with a kill of each step.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use end_to_end::{Account, Command, Finished, Script};
use futures_util::future::try_join_all;
use rand::random_range;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{assert_contains, dotdo, platform};
use crate::shapes::assert_shape;

/// How long all commands of one migration may take.
const LIMIT: Duration = Duration::from_mins(2);

/// A Worker that answers with a text, the path and its variable.
fn plain(text: &str) -> Script {
    Script::module(&format!(
        "export default {{ async fetch(request, env) {{
            const {{ pathname }} = new URL(request.url);
            const called = env.NEXT ? await (await env.NEXT.fetch(request)).text() : '';
            return new Response(`{text} ${{pathname}} ${{env.MODE}} ${{env.TOKEN ?? ''}}${{called}}`, {{ headers: {{ 'x-date': `${{Math.random()}}` }} }});
        }} }};"
    ))
    .with_text("MODE", "fast")
}

fn calling(name: &str, more: &Value) -> Value {
    let mut binding = json!({ "type": "service", "name": "NEXT", "service": name });
    if let (Some(members), Some(more)) = (binding.as_object_mut(), more.as_object()) {
        members.extend(more.clone());
    }
    binding
}

fn exporting(code: &str) -> Script {
    Script::module(&format!("export default {{ {code} }};"))
}

/// A handler of a Worker that only needs to exist.
const FETCH: &str = "fetch() { return new Response('x'); }";

/// The Workers that refer to no other.
fn first_scripts(prefix: &str) -> Vec<(String, Script)> {
    let name = |rest: &str| format!("{prefix}{rest}");
    let fetch = FETCH;
    let mut scripts: Vec<(String, Script)> = Vec::new();
    for index in 0..18 {
        scripts.push((name(&format!("api{index:02}")), plain(&format!("api{index:02}"))));
    }
    let secret = json!({ "type": "secret_text", "name": "TOKEN", "text": "t" });
    for rest in ["web-staging", "auth-staging", "shop-dev", "home-prod"] {
        scripts.push((name(rest), plain(rest)));
    }
    for rest in ["paid", "mail", "bank"] {
        scripts.push((name(rest), plain(rest).with_binding(secret.clone())));
    }
    let objects = Script::module(
        "import { DurableObject } from 'cloudflare:workers';
         export class Room extends DurableObject { async add() { await this.ctx.storage.put('a', 1); return 'added'; } }
         export default { async fetch(request, env) { return new Response(await env.ROOM.getByName('a').add()); } };",
    )
    .with_binding(json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" }))
    .with("migrations", json!({ "new_tag": "v1", "steps": [{ "new_sqlite_classes": ["Room"] }] }));
    let kv = |id: &str| json!({ "type": "kv_namespace", "name": "KV", "namespace_id": id });
    scripts.extend([
        (name("my_worker"), plain("my_worker")),
        (
            name("old"),
            Script::service_worker("addEventListener('fetch', (e) => e.respondWith(new Response('old')));"),
        ),
        (name("stored"), plain("stored").with_binding(kv("c0ffee"))),
        (
            name("bucket"),
            plain("bucket")
                .with_binding(json!({ "type": "r2_bucket", "name": "R2", "bucket_name": "files" })),
        ),
        (name("clock"), exporting(&format!("{fetch}, scheduled() {{}}"))),
        (name("night"), exporting("scheduled() {}")),
        (name("jobs"), exporting(&format!("{fetch}, queue() {{}}"))),
        (name("trace"), exporting(&format!("{fetch}, tail() {{}}"))),
        (name("room"), objects.clone()),
        (name("empty-room"), objects),
        (name("idle"), exporting(&format!("{fetch}, scheduled() {{}}"))),
    ]);
    scripts
}

/// Forty Workers whose names begin with a prefix.
struct Forty {
    prefix: &'static str,
    zone: String,
    folder: TempDir,
}

impl Forty {
    async fn prepare(prefix: &'static str, account: &Account<'_>) -> Result<Self> {
        let name = |rest: &str| format!("{prefix}{rest}");
        let scripts = first_scripts(prefix);
        try_join_all(scripts.iter().map(|(name, script)| account.upload(name, script))).await?;
        // Those that refer to others.
        let fetch = FETCH;
        let jwt = account.assets(&name("site")).await?;
        let site = exporting(fetch).with("assets", json!({ "jwt": jwt, "config": {} }));
        let second = [
            (
                name("caller"),
                plain("caller").with_binding(calling(&name("api00"), &json!({}))),
            ),
            (
                name("clock"),
                exporting(&format!("{fetch}, scheduled() {{}}"))
                    .with_binding(calling(&name("api01"), &json!({}))),
            ),
            (
                name("admin"),
                plain("admin")
                    .with_binding(calling(&name("api02"), &json!({ "props": { "role": "admin" } }))),
            ),
            (
                name("web-staging"),
                plain("web-staging").with_binding(calling(&name("auth-staging"), &json!({}))),
            ),
            (
                name("traced"),
                plain("traced").with("tail_consumers", json!([{ "service": name("trace") }])),
            ),
            (name("site"), site),
        ];
        try_join_all(second.iter().map(|(name, script)| account.upload(name, script))).await?;
        let scripts = "ACCOUNT/workers/scripts";
        for rest in ["clock", "night"] {
            let crons = json!([{ "cron": "0 0 * * *" }]);
            account
                .call(
                    Method::PUT,
                    &format!("{scripts}/{}/schedules", name(rest)),
                    &crons,
                )
                .await?;
        }
        let queue = account
            .call(
                Method::POST,
                "ACCOUNT/queues",
                &json!({ "queue_name": name("jobs") }),
            )
            .await?;
        let consumers = format!(
            "ACCOUNT/queues/{}/consumers",
            queue["queue_id"].as_str().context("a queue")?
        );
        account
            .call(
                Method::POST,
                &consumers,
                &json!({ "type": "worker", "script_name": name("jobs") }),
            )
            .await?;
        // An object with data.
        let host = format!("{}.workers.dev.localhost", name("room"));
        ensure!(platform().get(&host, "/").await?.text() == "added");

        let apex = format!("{prefix}zone.example");
        let zone = account
            .call(Method::POST, "/zones", &json!({ "name": apex }))
            .await?;
        let zone = zone["id"].as_str().context("a zone")?.to_owned();
        for (pattern, script) in [
            ("api00.APEX/*", "api00"),
            ("APEX/api/*", "api01"),
            ("APEX/*", "api02"),
            ("lost.APEX/*", "api03"),
            ("cron.APEX/*", "clock"),
        ] {
            let route = json!({ "pattern": pattern.replace("APEX", &apex), "script": name(script) });
            account
                .call(Method::POST, &format!("/zones/{zone}/workers/routes"), &route)
                .await?;
        }
        let domain =
            json!({ "hostname": format!("web.{apex}"), "service": name("web-staging"), "zone_id": zone });
        account
            .call(Method::PUT, "ACCOUNT/workers/domains", &domain)
            .await?;
        let folder = TempDir::with_prefix("dotdo-migrate-")?;
        let rule = |pattern: &str, worker: &str, environment: &str| json!({ "pattern": pattern.replace("APEX", &apex), "worker": name(worker), "environment": environment });
        let rules = json!([
            rule("api00.APEX", "api00", "production"),
            rule("APEX/api/*", "api01", "production"),
            rule("APEX", "api02", "production"),
            rule("web.APEX", "web", "staging"),
        ]);
        fs::write(folder.path().join("routes.json"), rules.to_string())?;
        let values = ["paid", "mail", "bank"].map(|rest| (name(rest), json!({ "TOKEN": "t" })));
        fs::write(
            folder.path().join("secrets.json"),
            Value::Object(values.into_iter().collect()).to_string(),
        )?;
        Ok(Self { prefix, zone, folder })
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    fn command(account: &Account<'_>, arguments: &[&str]) -> Result<Command> {
        Ok(dotdo(&[&["migrate"], arguments].concat())?
            .variable("CLOUDFLARE_API_BASE_URL", &account.base_url())
            .limit(LIMIT))
    }

    async fn json(&self, account: &Account<'_>, code: i32, arguments: &[&str]) -> Result<Value> {
        let finished = Self::command(account, &[arguments, &["--json"]].concat())?
            .run()
            .await?;
        json_of(&finished, code, arguments)
    }

    /// Writes the plan, of which only this test's Workers are kept.
    async fn plan(&self, account: &Account<'_>) -> Result<Value> {
        let plan = self.path("plan.jsonc");
        let routes = self.path("routes.json");
        let mut found = self
            .json(account, 0, &["plan", "--write", &plan, "--routes", &routes])
            .await?;
        if let Some(workers) = found["workers"].as_array_mut() {
            workers.retain(|worker| {
                worker["from"]
                    .as_str()
                    .is_some_and(|from| from.starts_with(self.prefix))
            });
        }
        fs::write(&plan, format!("// Edited.\n{found}"))?;
        Ok(found)
    }

    async fn run(&self, account: &Account<'_>) -> Result<Value> {
        let (plan, secrets) = (self.path("plan.jsonc"), self.path("secrets.json"));
        self.json(account, 0, &["run", &plan, "--secrets-file", &secrets, "--yes"])
            .await
    }

    fn cutover(&self, account: &Account<'_>, more: &[&str]) -> Result<Command> {
        let (plan, routes) = (self.path("plan.jsonc"), self.path("routes.json"));
        let arguments = [&["cutover", &plan, "--routes", &routes], more].concat();
        Ok(Self::command(account, &arguments)?.variable("CLOUDFLARE_API_TOKEN", account.token()))
    }
}

fn json_of(finished: &Finished, code: i32, arguments: &[&str]) -> Result<Value> {
    ensure!(
        finished.code == Some(code),
        "dotdo migrate {arguments:?}: {:?}\n{}{}",
        finished.code,
        finished.output,
        finished.errors
    );
    serde_json::from_str(&finished.output).with_context(|| finished.output.clone())
}

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
    let finished = forty.cutover(&account, &["--yes", "--json"])?.run().await?;
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
    let back = forty
        .cutover(&account, &["--undo", "--yes", "--json"])?
        .run()
        .await?;
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
