//! `dotdo deployments`, and the short form of a deployment's id.

use clap::Args;
use deploy_api::v1::types::{Deployment, DeploymentId, DeploymentState};
use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;

use crate::arguments;
use crate::client::{Client, worker_path};
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::{Session, commit, who};
use crate::table::{Table, Tone, Value};
use crate::times;

/// The arguments of `dotdo deployments`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"items\": […]}; the items are those of GET /v1/deployments, the newest first.\n\nThe id is shortened; commands accept the short form."
)]
pub struct DeploymentsArguments {
    /// Only the deployments of this Worker
    #[arg(value_parser = arguments::worker_name)]
    name: Option<WorkerName>,
    /// Only the deployments in this environment
    #[arg(long, value_name = "ENV", value_parser = arguments::namespace())]
    env: Option<Namespace>,
    /// Only deployments since a time: 90m, 1h, 2d, a date or a time
    #[arg(long, value_name = "TIME", value_parser = times::filter)]
    since: Option<String>,
    /// Only deployments before a time
    #[arg(long, value_name = "TIME", value_parser = times::filter)]
    until: Option<String>,
    /// The most deployments to list
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Lists deployments, the newest first.
pub fn list(arguments: &DeploymentsArguments, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let parameters = [
        ("worker", arguments.name.as_ref().map(ToString::to_string)),
        ("namespace", arguments::namespace_name(arguments.env)),
        ("since", arguments.since.clone()),
        ("until", arguments.until.clone()),
    ];
    let limit = usize::try_from(arguments.limit).ok();
    let answer = progress::during("listing the deployments", || {
        client.items::<Deployment<'static>>("/v1/deployments", &parameters, limit)
    })?;
    session.output.either(&answer.json, |output| {
        if answer.value.is_empty() {
            return output.line("There are no such deployments.");
        }
        output.table(table(&answer.value, Timestamp::now()))
    })?;
    Ok(Exit::Success)
}

fn table(deployments: &[Deployment<'_>], now: Timestamp) -> Table {
    let mut table = Table::new(&["when", "Worker", "change", "by", "commit", "message", "id"]);
    for deployment in deployments {
        let namespace = Namespace::from_name(&deployment.namespace);
        let annotations = &deployment.annotations;
        let message = annotations.message.as_deref().or(annotations.tag.as_deref());
        table.row([
            times::ago(deployment.created, now).into(),
            format!(
                "{} in {}",
                deployment.worker,
                namespace.map_or("", Namespace::short_name)
            )
            .into(),
            change(deployment, now),
            who(&deployment.identity).into(),
            commit(&deployment.identity).into(),
            message.unwrap_or_default().into(),
            short(&deployment.id).into(),
        ]);
    }
    table
}

/// What was done, and how it ended.
fn change(deployment: &Deployment<'_>, now: Timestamp) -> Value {
    let action = deployment.action.name();
    let state = deployment.state.name().replace('_', " ");
    match deployment.state {
        DeploymentState::Succeeded if deployment.serving == Some(true) => {
            let expires = deployment
                .preview
                .as_ref()
                .map(|preview| format!(", {}", times::expiry(preview.expires, now)));
            Tone::Good.of(format!("{action}, serving{}", expires.unwrap_or_default()))
        }
        DeploymentState::Succeeded => Tone::Plain.of(format!("{action}, {state}")),
        DeploymentState::Pending => Tone::Warning.of(format!("{action}, {state}")),
        DeploymentState::Failed | DeploymentState::RolledBack => {
            let code = deployment
                .failure
                .as_ref()
                .map(|failure| format!(": {}", failure.code));
            Tone::Bad.of(format!("{action}, {state}{}", code.unwrap_or_default()))
        }
    }
}

/// The length of the short form of an id: its time in milliseconds.
const SHORT: usize = 13;

/// The beginning of an id, which differs between the deployments of a Worker.
#[must_use]
pub fn short(id: &DeploymentId) -> &str {
    id.as_str().get(..SHORT).unwrap_or_default()
}

/// The deployment of a Worker whose id is, or begins with, a text.
///
/// # Errors
/// If none or several do.
pub fn resolve(
    client: &Client,
    namespace: impl Into<Namespace>,
    worker: &WorkerName,
    text: &str,
) -> Result<DeploymentId, Failure> {
    if let Ok(id) = DeploymentId::parse(text) {
        return Ok(id);
    }
    let namespace = namespace.into();
    let path = format!("{}/deployments", worker_path(namespace, worker));
    let all: Vec<Deployment<'static>> = client.items(&path, &[], None)?.value;
    let ids = all.iter().map(|deployment| deployment.id.as_ref());
    choose(text, ids).ok_or_else(|| {
        Failure::usage(
            format!("{text:?} is not the id of one deployment of {worker} in {namespace}"),
            format!("Type `dotdo deployments {worker} --env {namespace}` to list them."),
        )
    })
}

/// The only id that begins with a text.
pub fn choose<'a>(text: &str, ids: impl Iterator<Item = &'a DeploymentId>) -> Option<DeploymentId> {
    let mut matching = ids.filter(|id| !text.is_empty() && id.as_str().starts_with(text));
    let found = matching.next()?;
    matching.next().is_none().then(|| found.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_names_the_only_deployment_that_begins_with_it() {
        let id = |text| DeploymentId::parse(text).unwrap();
        let first = id("0199f000-0000-7000-8000-000000000001");
        let second = id("0199f000-0001-7000-8000-000000000002");
        let ids = [first.clone(), second.clone()];
        assert_eq!(choose(short(&second), ids.iter()), Some(second));
        assert_eq!(choose("0199f000", ids.iter()), None);
        assert_eq!(choose("", [first.clone()].iter()), None);
        assert_eq!(choose("f", [first].iter()), None);
    }
}
