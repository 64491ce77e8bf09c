//! Stock wrangler creates, fills, reads and deletes KV namespaces, R2 buckets and D1 databases, and Workers find their data.

use std::fs;

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::Staging;
use end_to_end::{
    Options, Platform, Project,
    wrangler::{Call, Version},
};
use serde_json::{Value, json};

/// A Worker that answers what its three bindings contain, and writes the query's `write` to all of them.
const WORKER: &str = "export default { async fetch(request, env) {
    const write = new URL(request.url).searchParams.get('write');
    if (write) {
        await env.KV.put('written', write);
        await env.FILES.put('written', write);
        await env.DB.prepare('INSERT INTO notes VALUES (?)').bind(write).run();
    }
    const file = async (key) => (await env.FILES.get(key))?.text();
    return Response.json({
        kv: await env.KV.get(write ?? 'seeded'), written: await env.KV.get('written'),
        file: await file('folder/file.txt'), writtenFile: await file('written'),
        notes: (await env.DB.prepare('SELECT * FROM notes ORDER BY 1').raw()).flat(),
    });
} };";

/// wrangler against the REST API of the local platform itself.
struct Account<'a> {
    platform: &'a Platform,
    project: &'a Project,
    version: Version,
    base_url: String,
    token: String,
}

impl<'a> Account<'a> {
    /// With the variables that `npm run dev` writes.
    fn new(platform: &'a Platform, project: &'a Project, version: Version) -> Result<Self> {
        let variables = fs::read_to_string(platform.state().join("account.env"))?;
        let value = |name: &str| {
            let mut lines = variables.lines();
            lines
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
                .with_context(|| format!("no {name} in account.env"))
        };
        Ok(Self {
            platform,
            project,
            version,
            base_url: value("CLOUDFLARE_API_BASE_URL")?,
            token: value("CLOUDFLARE_API_TOKEN")?,
        })
    }

    /// Runs wrangler, which must succeed and print `expected`.
    async fn run(&self, arguments: &[&str], expected: &str) -> Result<String> {
        let call = Call::new(self.platform, self.version, self.project.folder());
        let call = call.at(&self.base_url).with_token(&self.token);
        let run = call.run(arguments).await?.success()?;
        ensure!(
            run.output.contains(expected),
            "{:?} {arguments:?} does not print {expected}:\n{}",
            self.version,
            run.output
        );
        Ok(run.output)
    }
}

/// A project with three bindings. `version` is a part of the names, so that both versions of wrangler have their own data.
fn project(name: &str, id: &str) -> Result<Project> {
    Project::new(name)?
        .file("index.js", WORKER)?
        .file(
            "migrations/0001_notes.sql",
            "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('1 migrated; once');",
        )?
        .file(
            "notes.sql",
            "BEGIN TRANSACTION;\nINSERT INTO notes VALUES ('2 from a file'), ('3 it''s');\nCOMMIT;\n",
        )?
        .file(
            "bulk.json",
            r#"[{ "key": "b1", "value": "one" }, { "key": "b2", "value": "dHdv", "base64": true, "metadata": { "n": 2 } }]"#,
        )?
        .file("file.txt", "a file")?
        .setting(
            "kv_namespaces",
            json!([{ "binding": "KV", "id": format!("{id:0>32}") }]),
        )?
        .setting(
            "d1_databases",
            json!([{ "binding": "DB", "database_name": format!("{name}-db"), "database_id": format!("{name}-id") }]),
        )?
        .setting(
            "r2_buckets",
            json!([{ "binding": "FILES", "bucket_name": format!("{name}-files") }]),
        )
}

#[end_to_end::test]
async fn wrangler_fills_namespaces_buckets_and_databases_that_workers_read() -> Result<()> {
    let platform = Platform::shared();
    for (version, name, id) in [
        (Version::V4_86, "seed-86", "86"),
        (Version::V4_152, "seed-152", "152"),
    ] {
        let project = project(name, id)?;
        let account = Account::new(platform, &project, version)?;
        kv(&account, name).await?;
        d1(&account, name).await?;
        r2(&account, name).await?;
        project
            .wrangler(
                platform,
                version,
                &["deploy", "--dispatch-namespace", Staging.namespace()],
            )
            .await?
            .success()?;
        let found: Value = platform.get(&format!("staging.{name}.do"), "/").await?.json();
        assert_eq!(found["kv"], "from wrangler", "{found}");
        assert_eq!(found["file"], "a file", "{found}");
        assert_eq!(
            found["notes"],
            json!(["1 migrated; once", "2 from a file", "3 it's", "4 command"])
        );
    }
    Ok(())
}

async fn kv(account: &Account<'_>, name: &str) -> Result<()> {
    let title = format!("{name}-title");
    account
        .run(&["kv", "namespace", "create", &title], &title)
        .await?;
    let list = account.run(&["kv", "namespace", "list"], &title).await?;
    let namespaces: Value = serde_json::from_str(list.get(list.find('[').unwrap_or(0)..).unwrap_or(""))
        .with_context(|| list.clone())?;
    let created = namespaces
        .as_array()
        .into_iter()
        .flatten()
        .find(|namespace| namespace["title"] == title.as_str())
        .and_then(|namespace| namespace["id"].as_str())
        .context("the created namespace is not listed")?;
    let remote = ["--binding", "KV", "--remote"];
    let with = |arguments: &[&'static str]| [arguments, &remote].concat();
    account
        .run(&with(&["kv", "key", "put", "seeded", "from wrangler"]), "")
        .await?;
    account
        .run(
            &with(&["kv", "key", "put", "a/b ä", "x", "--metadata", r#"{"m":"ü"}"#]),
            "",
        )
        .await?;
    account.run(&with(&["kv", "key", "get", "a/b ä"]), "x").await?;
    account
        .run(&with(&["kv", "bulk", "put", "bulk.json"]), "Success")
        .await?;
    account.run(&with(&["kv", "key", "get", "b2"]), "two").await?;
    account
        .run(&with(&["kv", "key", "list", "--prefix", "a/"]), "a/b ä")
        .await?;
    account.run(&with(&["kv", "key", "delete", "b1"]), "").await?;
    let keys = account.run(&with(&["kv", "key", "list"]), "seeded").await?;
    assert!(!keys.contains("\"b1\""), "{keys}");
    account
        .run(&["kv", "namespace", "delete", "--namespace-id", created], "")
        .await?;
    let list = account.run(&["kv", "namespace", "list"], "").await?;
    assert!(!list.contains(&title), "{list}");
    Ok(())
}

async fn d1(account: &Account<'_>, name: &str) -> Result<()> {
    let other = format!("{name}-other");
    account.run(&["d1", "create", &other], &other).await?;
    account.run(&["d1", "list"], &other).await?;
    let sql = "CREATE TABLE t (a); INSERT INTO t VALUES ('one;two'); SELECT a FROM t";
    account
        .run(
            &["d1", "execute", &other, "--remote", "--yes", "--command", sql],
            "one;two",
        )
        .await?;
    account
        .run(&["d1", "delete", &other, "--skip-confirmation"], &other)
        .await?;
    account
        .run(&["d1", "migrations", "list", "DB", "--remote"], "0001_notes.sql")
        .await?;
    account
        .run(&["d1", "migrations", "apply", "DB", "--remote"], "0001_notes.sql")
        .await?;
    account
        .run(
            &["d1", "execute", "DB", "--remote", "--yes", "--file", "notes.sql"],
            "",
        )
        .await?;
    let insert = "INSERT INTO notes VALUES ('4 command')";
    account
        .run(
            &["d1", "execute", "DB", "--remote", "--yes", "--command", insert],
            "",
        )
        .await?;
    account
        .run(&["d1", "export", "DB", "--remote", "--output", "out.sql"], "")
        .await?;
    let exported = fs::read_to_string(account.project.path("out.sql"))?;
    assert!(exported.contains("'4 command'"), "{exported}");
    Ok(())
}

async fn r2(account: &Account<'_>, name: &str) -> Result<()> {
    let bucket = format!("{name}-files");
    let object = format!("{bucket}/folder/file.txt");
    account.run(&["r2", "bucket", "create", &bucket], &bucket).await?;
    account.run(&["r2", "bucket", "list"], &bucket).await?;
    let temporary = format!("{bucket}/a//b.txt");
    for put in [&object, &temporary] {
        account
            .run(
                &["r2", "object", "put", put, "--file", "file.txt", "--remote"],
                "complete",
            )
            .await?;
    }
    account
        .run(
            &["r2", "object", "get", &temporary, "--file", "got.txt", "--remote"],
            "",
        )
        .await?;
    assert_eq!(fs::read_to_string(account.project.path("got.txt"))?, "a file");
    account
        .run(&["r2", "object", "delete", &temporary, "--remote"], "")
        .await?;
    let empty = format!("{name}-empty");
    account.run(&["r2", "bucket", "create", &empty], &empty).await?;
    account.run(&["r2", "bucket", "delete", &empty], &empty).await?;
    Ok(())
}

/// One test, because each step needs the state of the one before, and a start takes seconds.
#[end_to_end::test]
async fn bindings_without_ids_resolve_through_the_deploy_api_and_data_survives_a_kill() -> Result<()> {
    let platform = Platform::start(Options::new());
    let version = Version::V4_152;
    let seeded = project("unnamed", "7")?;
    let account = Account::new(&platform, &seeded, version)?;
    account.run(&["d1", "create", "unnamed-db"], "unnamed-db").await?;
    let by_name = project("unnamed", "7")?.setting(
        "d1_databases",
        json!([{ "binding": "DB", "database_name": "unnamed-db" }]),
    )?;
    let by_name_account = Account::new(&platform, &by_name, version)?;
    by_name_account
        .run(&["d1", "migrations", "apply", "DB", "--remote"], "0001_notes.sql")
        .await?;
    // A namespace without an id is created by an operator, as in production.
    let without_id = by_name.setting("kv_namespaces", json!([{ "binding": "KV" }]))?;
    let deploy = ["deploy", "--dispatch-namespace", Staging.namespace()];
    let refused = without_id
        .wrangler(&platform, version, &deploy)
        .await?
        .failure()?;
    assert!(
        refused.output.contains("npx wrangler kv namespace create"),
        "{}",
        refused.output
    );
    let with_id = without_id.setting(
        "kv_namespaces",
        json!([{ "binding": "KV", "id": "00000000000000000000000000000007" }]),
    )?;
    with_id.deploy(&platform, version, Staging).await?;
    // The second deploy keeps the namespace of the first.
    let inherited = with_id.setting("kv_namespaces", json!([{ "binding": "KV" }]))?;
    inherited.deploy(&platform, version, Staging).await?;
    let host = "staging.unnamed.do";
    let written: Value = platform.get(host, "/?write=kept").await?.json();
    assert_eq!(written["notes"], json!(["1 migrated; once", "kept"]), "{written}");
    let platform = platform.kill_and_restart();
    let found: Value = platform.get(host, "/").await?.json();
    assert_eq!(found["written"], "kept", "{found}");
    assert_eq!(found["writtenFile"], "kept", "{found}");
    assert_eq!(found["notes"], json!(["1 migrated; once", "kept"]), "{found}");
    Ok(())
}
