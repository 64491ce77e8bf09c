//! Forty account Workers of every kind that a plan distinguishes, and the commands that move them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use end_to_end::{Account, Command, Finished, Script};
use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{dotdo, platform};

/// How long all commands of one migration may take.
pub const LIMIT: Duration = Duration::from_mins(2);

/// A Worker that answers with a text, the path and its variable.
pub fn plain(text: &str) -> Script {
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
pub struct Forty {
    prefix: &'static str,
    /// The id of the zone whose routes lead to some of them.
    pub zone: String,
    folder: TempDir,
}

impl Forty {
    /// Creates them in an account, with a zone, secrets and rules.
    pub async fn prepare(prefix: &'static str, account: &Account<'_>) -> Result<Self> {
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
        let secrets = folder.path().join("secrets.json");
        fs::write(&secrets, Value::Object(values.into_iter().collect()).to_string())?;
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600))?;
        Ok(Self { prefix, zone, folder })
    }

    /// The path of a file of the test.
    pub fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    /// `dotdo migrate` with arguments.
    pub fn command(account: &Account<'_>, arguments: &[&str]) -> Result<Command> {
        Ok(dotdo(&[&["migrate"], arguments].concat())?
            .variable("CLOUDFLARE_API_BASE_URL", &account.base_url())
            .limit(LIMIT))
    }

    /// The JSON of a command, which must end with an exit code.
    pub async fn json(&self, account: &Account<'_>, code: i32, arguments: &[&str]) -> Result<Value> {
        let finished = Self::command(account, &[arguments, &["--json"]].concat())?
            .run()
            .await?;
        json_of(&finished, code, arguments)
    }

    /// Writes the plan, of which only this test's Workers are kept.
    pub async fn plan(&self, account: &Account<'_>) -> Result<Value> {
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

    /// Imports the Workers of the plan.
    pub async fn run(&self, account: &Account<'_>) -> Result<Value> {
        let (plan, secrets) = (self.path("plan.jsonc"), self.path("secrets.json"));
        self.json(account, 0, &["run", &plan, "--secrets-file", &secrets, "--yes"])
            .await
    }

    /// `dotdo migrate cutover` of the plan.
    pub fn cutover(&self, account: &Account<'_>, more: &[&str]) -> Result<Command> {
        let (plan, routes) = (self.path("plan.jsonc"), self.path("routes.json"));
        let arguments = [&["cutover", &plan, "--routes", &routes], more].concat();
        Ok(Self::command(account, &arguments)?.variable("CLOUDFLARE_API_TOKEN", account.token()))
    }

    /// Runs a command while the hosts of the zone are read again and again: at no moment one is without a Worker. Returns how often they
    /// were read.
    pub async fn watched(&self, account: &Account<'_>, command: Command) -> Result<(Finished, usize)> {
        let expected: Vec<String> = account
            .routes(&self.zone)
            .await?
            .into_iter()
            .map(|(pattern, _)| pattern)
            .filter(|pattern| !pattern.starts_with("web."))
            .collect();
        let domain = format!("web.{}zone.example", self.prefix);
        let run = command.run();
        tokio::pin!(run);
        let mut reads = 0;
        loop {
            let routes = tokio::select! {
                finished = &mut run => return Ok((finished?, reads)),
                routes = account.routes(&self.zone) => routes?,
            };
            reads += 1;
            for pattern in &expected {
                let served = routes
                    .iter()
                    .any(|(found, script)| found == pattern && !script.is_empty());
                ensure!(served, "{pattern} leads to no Worker: {routes:?}");
            }
            // The host of the custom domain is served by it, with or without a route in front of it.
            let domains = account.get("ACCOUNT/workers/domains").await?;
            let is_attached = domains.as_array().into_iter().flatten().any(|found| {
                found["hostname"] == domain.as_str()
                    && found["service"] == format!("{}web-staging", self.prefix).as_str()
            });
            ensure!(is_attached, "{domain} leads to no Worker: {domains}");
        }
    }
}

/// The JSON of a command that must have ended with an exit code.
pub fn json_of(finished: &Finished, code: i32, arguments: &[&str]) -> Result<Value> {
    ensure!(
        finished.code == Some(code),
        "dotdo migrate {arguments:?}: {:?}\n{}{}",
        finished.code,
        finished.output,
        finished.errors
    );
    serde_json::from_str(&finished.output).with_context(|| finished.output.clone())
}
