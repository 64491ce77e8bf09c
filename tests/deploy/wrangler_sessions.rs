//! Runs of wrangler whose requests the golden files list, in addition to those of bindings.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, wrangler::Version};
use serde_json::json;

use crate::wrangler_deploys::named;

/// A run of wrangler.
#[derive(Debug)]
pub struct Session {
    /// What the run shows, for the golden file.
    pub title: &'static str,
    /// The name of the Worker without the suffix of the version.
    pub worker: &'static str,
    /// The folder in which wrangler runs.
    pub project: Project,
    /// The arguments of wrangler.
    pub arguments: Vec<&'static str>,
    /// Its standard input.
    pub input: &'static str,
    /// What its output contains, besides what the golden file shows.
    pub prints: &'static [&'static str],
}

impl Session {
    fn new(
        title: &'static str,
        worker: &'static str,
        project: Project,
        arguments: &[&'static str],
        input: &'static str,
    ) -> Self {
        Self {
            title,
            worker,
            project,
            arguments: arguments.to_vec(),
            input,
            prints: &[],
        }
    }

    fn printing(self, prints: &'static [&'static str]) -> Self {
        Self { prints, ..self }
    }
}

const DEPLOY: [&str; 3] = ["deploy", "--dispatch-namespace", Staging.namespace()];

/// A deploy to staging.
pub fn deploy(title: &'static str, worker: &'static str, project: Project) -> Session {
    Session::new(title, worker, project, &DEPLOY, "")
}

/// The runs that are recorded for a version, in order.
pub fn sessions(version: Version) -> Result<Vec<Session>> {
    let mut sessions = deploys(version)?;
    sessions.extend(secrets(version)?);
    sessions.extend(commands(version)?);
    Ok(sessions)
}

fn deploys(version: Version) -> Result<Vec<Session>> {
    let new = |worker: &str| Project::new(&named(worker, version));
    Ok(vec![
        deploy("a first deploy", "overheard", new("overheard")?),
        Session::new(
            "a redeploy with a file of secrets",
            "overheard",
            new("overheard")?.file("secrets.json", json!({ "KEY": "value" }).to_string())?,
            &[&DEPLOY[..], &["--secrets-file", "secrets.json"]].concat(),
            "",
        ),
        deploy(
            "static assets",
            "overheard",
            new("overheard")?
                .file("public/index.html", format!("<h1>{version:?}</h1>"))?
                .setting("assets", json!({ "directory": "public" }))?,
        ),
        deploy(
            "a Durable Object with a migration",
            "overheard",
            new("overheard")?
                .file(
                    "index.js",
                    "import { DurableObject } from 'cloudflare:workers';
                    export class Room extends DurableObject {}
                    export default { fetch() { return new Response('x'); } };",
                )?
                .setting(
                    "durable_objects",
                    json!({ "bindings": [{ "name": "ROOM", "class_name": "Room" }] }),
                )?
                .setting(
                    "migrations",
                    json!([{ "tag": "v1", "new_sqlite_classes": ["Room"] }]),
                )?,
        ),
        Session::new(
            "an environment of the configuration, refused",
            "overheard",
            new("overheard")?.setting("env", json!({ "staging": {} }))?,
            &[&DEPLOY[..], &["--env", "staging"]].concat(),
            "",
        )
        .printing(&["[code: 740141]"]),
        Session::new(
            "a Worker of the account, refused",
            "overheard",
            new("overheard")?,
            &["deploy"],
            "",
        )
        // The first request of such a deploy, and so the code of its error, differs between versions.
        .printing(&["--dispatch-namespace dotdo-production"]),
    ])
}

/// Commands about the secrets of a Worker in one namespace, and then in two.
fn secrets(version: Version) -> Result<Vec<Session>> {
    let new = || {
        Project::new(&named("secretive", version))?
            .file("secrets.json", json!({ "ONE": "1", "TWO": "2" }).to_string())
    };
    let session = |title, arguments: &[&'static str], input| {
        Ok::<_, anyhow::Error>(Session::new(title, "secretive", new()?, arguments, input))
    };
    let mut sessions = vec![session("a Worker for secrets", &DEPLOY, "")?];
    sessions.push(session("one secret", &["secret", "put", "KEY"], "value")?);
    sessions.push(session(
        "secrets of a file",
        &["secret", "bulk", "secrets.json"],
        "",
    )?);
    sessions.push(session("the names of the secrets", &["secret", "list"], "")?);
    sessions.push(session(
        "the removal of a secret",
        &["secret", "delete", "KEY"],
        "",
    )?);
    if version == Version::V4_152 {
        sessions.push(deploy(
            "secrets that the configuration requires",
            "secretive",
            new()?.setting("secrets", json!({ "required": ["ONE"] }))?,
        ));
        sessions.push(deploy(
            "a required secret that is missing, refused",
            "secretive",
            new()?.setting("secrets", json!({ "required": ["MISSING"] }))?,
        ));
    }
    let production = ["deploy", "--dispatch-namespace", Production.namespace()];
    sessions.push(session("the Worker in a second namespace", &production, "")?);
    sessions.push(session(
        "one secret of a Worker in two namespaces, refused",
        &["secret", "put", "KEY"],
        "value",
    )?);
    sessions.push(session(
        "secrets of a file for a Worker in two namespaces, refused",
        &["secret", "bulk", "secrets.json"],
        "",
    )?);
    Ok(sessions)
}

/// A command: the title of its session, its arguments, and what it prints.
type Command = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Other commands. Most are refused: with a code, with the advice, and with a link to the error's documentation.
const COMMANDS: [Command; 12] = [
    (
        "the namespaces",
        &["dispatch-namespace", "list"],
        &["dotdo-production", "dotdo-staging", "dotdo-development"],
    ),
    (
        "one namespace",
        &["dispatch-namespace", "get", Staging.namespace()],
        &["6eb2b6e7-5e8c-4ce6-bb63-7185e2dadc0e"],
    ),
    ("the caller", &["whoami"], &["developer"]),
    (
        "a new namespace, refused",
        &["dispatch-namespace", "create", "more"],
        &["[code: 740119]", "Ask an operator", ERRORS],
    ),
    (
        "another name of a namespace, refused",
        &["dispatch-namespace", "rename", Staging.namespace(), "other"],
        &["[code: 740119]", "Ask an operator", ERRORS],
    ),
    (
        "the removal of a namespace, refused",
        &["dispatch-namespace", "delete", Staging.namespace()],
        &["[code: 740119]", "deletes every Worker", ERRORS],
    ),
    (
        "the removal of a Worker of the account, refused",
        &["delete", "--force"],
        &["[code: 740116]", "DELETE /v1/namespaces", ERRORS],
    ),
    (
        "the live log, refused",
        &["tail"],
        &["[code: 740117]", "tail_consumers", ERRORS],
    ),
    (
        "the versions, refused",
        &["versions", "list"],
        &["[code: 740118]", "/rollback", ERRORS],
    ),
    (
        "the deployments, refused",
        &["deployments", "list"],
        &["[code: 740118]", "/deployments", ERRORS],
    ),
    (
        "a rollback, refused",
        &["rollback", "--yes"],
        &["[code: 740118]", "/rollback", ERRORS],
    ),
    (
        "a key of a KV namespace, refused",
        &[
            "kv",
            "key",
            "put",
            "--remote",
            "--namespace-id",
            "0123456789abcdef0123456789abcdef",
            "hostname:shop.example.com",
            "shop",
        ],
        &[],
    ),
];

const ERRORS: &str = "docs/errors.md#";

fn commands(version: Version) -> Result<Vec<Session>> {
    let project = || Project::new(&named("overheard", version));
    COMMANDS
        .iter()
        .map(|(title, arguments, prints)| {
            Ok(Session::new(title, "overheard", project()?, arguments, "").printing(prints))
        })
        .collect()
}
