//! `dotdo delete`.

use clap::Args;
use deploy_api::v1::types::DeletionPreview;
use dotdo_names::Namespace;
use serde_json::{Value as Json, json};
use ureq::http::Method;

use super::{explained, refused_if};
use crate::arguments::{ChangeArguments, WorkerArguments};
use crate::client::{Answer, Client, worker_path};
use crate::commands::deployments::short;
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::{Table, Tone, Value};

/// The arguments of `dotdo delete`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"deleted\": true}; with --dry-run the preview of DELETE /v1/namespaces/{namespace}/workers/{worker}."
)]
pub struct DeleteArguments {
    #[command(flatten)]
    worker: WorkerArguments,
    #[command(flatten)]
    change: ChangeArguments,
}

/// Removes a Worker from an environment.
pub fn delete(arguments: &DeleteArguments, session: &Session) -> Result<Exit, Failure> {
    let WorkerArguments { name, env } = &arguments.worker;
    let client = session.client()?;
    let path = worker_path(*env, name);
    let preview: Answer<DeletionPreview<'static>> = progress::during("finding what would be lost", || {
        client.call(&Method::DELETE, &format!("{path}?dry_run=true"))
    })
    .map_err(|failure| explained(failure, &arguments.worker))?;
    let problem = preview.value.problem.as_ref();
    if arguments.change.dry_run {
        session
            .output
            .either(&preview.json, |output| output.table(losses(*env, &preview.value)))?;
        return refused_if(problem, &arguments.worker);
    }
    refused_if(problem, &arguments.worker)?;
    if !session.output.is_json() {
        session.output.table(losses(*env, &preview.value))?;
    }
    Confirmation::of(*env, arguments.change.yes).ask(&format!("Delete {name} in {env}?"))?;
    remove(&client, &arguments.worker)?;
    session.output.either(&json!({ "deleted": true }), |output| {
        output.line(format!("Deleted {name} in {env}. Its deployments are kept: `dotdo rollback {name} --env {env} --to ID` deploys one again."))
    })?;
    Ok(Exit::Success)
}

fn remove(client: &Client, worker: &WorkerArguments) -> Result<(), Failure> {
    let WorkerArguments { name, env } = worker;
    let path = worker_path(*env, name);
    let what = format!("deleting {name} in {env}");
    progress::during(&what, || client.call::<Json>(&Method::DELETE, &path))
        .map(drop)
        .map_err(|failure| explained(failure, worker))
}

/// What a deletion loses.
fn losses(namespace: Namespace, preview: &DeletionPreview<'_>) -> Table {
    let mut table = Table::properties();
    let listed = &preview.worker.listed;
    table.property("environment", Value::from(namespace.short_name()));
    table.property("URL", Value::from(listed.urls.join(" ")));
    table.property(
        "deployment",
        listed.deployment.as_ref().map(|id| Value::from(short(id))),
    );
    let names = |names: &[String]| (!names.is_empty()).then(|| Tone::Warning.of(names.join(", ")));
    table.property("secrets lost", names(&preview.secrets));
    table.property("objects lost of", names(&preview.object_classes));
    table
}
