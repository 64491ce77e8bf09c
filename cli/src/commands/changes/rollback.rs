//! `dotdo rollback`.

use clap::Args;
use deploy_api::v1::types::{Deployment, Identity, RollbackPreview, RollbackRequest, Worker};
use dotdo_names::Namespace;
use jiff::Timestamp;
use ureq::http::Method;

use super::{explained, refused_if, report};
use crate::arguments::{ChangeArguments, RedeployArguments, WorkerArguments};
use crate::client::{Answer, Client, with_parameters, worker_path};
use crate::commands::deployments::{resolve, short};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::{Session, commit, who};
use crate::table::{Table, Value};
use crate::times;

/// The arguments of `dotdo rollback`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: the new deployment, the response of POST /v1/namespaces/{namespace}/workers/{worker}/rollback; with --dry-run the preview."
)]
pub struct RollbackArguments {
    #[command(flatten)]
    worker: WorkerArguments,
    /// The deployment to go back to, by its id; default: the one before the current one
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    #[command(flatten)]
    redeploy: RedeployArguments,
    #[command(flatten)]
    change: ChangeArguments,
}

/// Deploys an earlier deployment again.
pub fn rollback(arguments: &RollbackArguments, session: &Session) -> Result<Exit, Failure> {
    let RollbackArguments {
        worker: WorkerArguments { name, env },
        to,
        redeploy,
        change,
    } = arguments;
    let client = session.client()?;
    let deployment = match to {
        Some(text) => Some(resolve(&client, *env, name, text)?.to_string()),
        None => None,
    };
    let path = format!("{}/rollback", worker_path(*env, name));
    let confirm = redeploy.confirm();
    let mut request = RollbackRequest {
        deployment,
        secrets: redeploy.secrets()?,
    };
    let call = with_parameters(
        &path,
        &[("dry_run", Some("true".to_owned())), ("confirm", confirm.clone())],
    );
    let preview: Answer<RollbackPreview<'static>> =
        progress::during("finding the deployment to go back to", || {
            client.send(&Method::POST, &call, &request)
        })
        .map_err(|failure| match to {
            None if failure.is("ROLLBACK_IMPOSSIBLE") => impossible(&client, &arguments.worker, failure),
            _ => explained(failure, &arguments.worker),
        })?;
    let RollbackPreview {
        current,
        source,
        problem,
        ..
    } = &preview.value;
    if change.dry_run {
        session.output.either(&preview.json, |output| {
            output.table(plan(*env, current.as_ref(), source))
        })?;
        return refused_if(problem.as_ref(), &arguments.worker);
    }
    refused_if(problem.as_ref(), &arguments.worker)?;
    // A second rollback would go one deployment further back: a command that was killed can be typed again.
    if to.is_none()
        && let Some(current) = current
        && current.action.name() == "rollback"
    {
        let next = format!(
            "To go further back, type `dotdo rollback {name} --env {env} --to {}`.",
            short(&source.id)
        );
        return Err(already(
            &arguments.worker,
            current.created,
            &current.identity,
            next,
        ));
    }
    if !session.output.is_json() {
        session.output.table(plan(*env, current.as_ref(), source))?;
    }
    Confirmation::of(*env, change.yes).ask(&format!("Roll {name} back in {env}?"))?;
    request.deployment = Some(source.id.to_string());
    let call = with_parameters(&path, &[("confirm", confirm)]);
    let deployed: Answer<Deployment<'static>> =
        progress::during(&format!("rolling {name} back in {env}"), || {
            client.send(&Method::POST, &call, &request)
        })
        .map_err(|failure| explained(failure, &arguments.worker))?;
    report(&session.output, &deployed.json, &deployed.value, "Rolled back")
}

/// The refusal of a rollback without `--to` of a Worker that was rolled back.
fn already(worker: &WorkerArguments, since: Timestamp, by: &Identity, next: String) -> Failure {
    let WorkerArguments { name, env } = worker;
    let since = times::ago(since, Timestamp::now());
    let by = who(by);
    Failure::refused(
        format!("{name} in {env} was already rolled back {since} by {by}; nothing was changed"),
        next,
    )
}

/// There is no deployment to go back to. The reason can be that an earlier command went back to the first one.
fn impossible(client: &Client, worker: &WorkerArguments, failure: Failure) -> Failure {
    let WorkerArguments { name, env } = worker;
    let found = client.get::<Worker>(&worker_path(*env, name));
    let last = found.ok().and_then(|found| found.value.listed.last_deployment);
    match last.filter(|last| last.action.name() == "rollback") {
        Some(last) => {
            let next = format!(
                "It serves its first deployment. Type `dotdo deployments {name}` to list all of them."
            );
            already(worker, last.created, &last.identity, next)
        }
        None => explained(failure, worker),
    }
}

/// What a rollback changes.
fn plan(namespace: Namespace, current: Option<&Deployment<'_>>, source: &Deployment<'_>) -> Table {
    let mut table = Table::properties();
    table.property("environment", Value::from(namespace.short_name()));
    table.property("now", current.map(|current| Value::from(described(current))));
    table.property("then", Value::from(described(source)));
    table
}

/// A deployment in one line.
fn described(deployment: &Deployment<'_>) -> String {
    let mut text = format!(
        "{}, {} by {}",
        short(&deployment.id),
        times::ago(deployment.created, Timestamp::now()),
        who(&deployment.identity)
    );
    let message = deployment.annotations.message.as_deref();
    for part in [
        commit(&deployment.identity),
        message.unwrap_or_default().to_owned(),
    ] {
        if !part.is_empty() {
            text.push_str(", ");
            text.push_str(&part);
        }
    }
    text
}
