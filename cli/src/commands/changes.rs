//! `dotdo rollback`, `promote` and `delete`. Each shows what it would change, asks in production, and then changes exactly that.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use deploy_api::v1::types::{
    BindingChange, BindingChangeKind, Choice, DeletionPreview, Deployed, Deployment, Identity,
    ProblemDocument, PromoteRequest, PromotionDifference, PromotionPreview, RollbackPreview, RollbackRequest,
    Worker,
};
use dotdo_names::Environment;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use ureq::http::Method;

use super::deployments::{resolve, short};
use crate::arguments::{self, ChangeArguments, RedeployArguments, WorkerArguments};
use crate::client::{Answer, Client, with_parameters, worker_path};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress;
use crate::session::{Session, commit, who};
use crate::table::{Table, Tone, Value};
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

/// The arguments of `dotdo promote`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: the new deployment, the response of POST /v1/namespaces/{namespace}/workers/{worker}/promote; with --dry-run the preview."
)]
pub struct PromoteArguments {
    #[command(flatten)]
    worker: WorkerArguments,
    /// The environment to promote from; default: staging for production, development for staging
    #[arg(long, value_name = "ENV", value_parser = arguments::environment())]
    from: Option<Environment>,
    /// The deployment to promote, by its id; default: the current one
    #[arg(long, value_name = "ID")]
    deployment: Option<String>,
    /// The value of a variable that the target does not have, or gets another value of
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// A member of a binding, such as `KV.namespace_id=…`
    #[arg(long = "bind", value_name = "NAME.MEMBER=VALUE", value_parser = member)]
    bindings: Vec<(String, String, String)>,
    /// Which values other variables get
    #[arg(long = "variables", value_name = "CHOICE", default_value = "keep")]
    choice_of_variables: Values,
    /// Which ids other bindings get
    #[arg(long = "resources", value_name = "CHOICE", default_value = "keep")]
    choice_of_resources: Values,
    #[command(flatten)]
    redeploy: RedeployArguments,
    #[command(flatten)]
    change: ChangeArguments,
}

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

/// Which values a promotion takes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Values {
    /// Those of the target; a promotion with others is refused
    Keep,
    /// Those of the target, and those of the source that it does not have
    CopyNew,
    /// Those of the source
    Copy,
}

impl From<Values> for Choice {
    fn from(values: Values) -> Self {
        match values {
            Values::Keep => Self::Keep,
            Values::CopyNew => Self::CopyNew,
            Values::Copy => Self::Copy,
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn member(text: &str) -> Result<(String, String, String), String> {
    let (name, value) = pair(text).map_err(|_| "write NAME.MEMBER=VALUE")?;
    let (name, member) = name.split_once('.').ok_or("write NAME.MEMBER=VALUE")?;
    Ok((name.to_owned(), member.to_owned(), value))
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
fn plan(environment: Environment, current: Option<&Deployment<'_>>, source: &Deployment<'_>) -> Table {
    let mut table = Table::properties();
    table.property("environment", Value::from(environment.name()));
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

/// Deploys what one environment serves to another one.
pub fn promote(arguments: &PromoteArguments, session: &Session) -> Result<Exit, Failure> {
    let WorkerArguments { name, env } = &arguments.worker;
    let from = source_of(arguments.from, *env)?;
    let client = session.client()?;
    let deployment = match &arguments.deployment {
        Some(text) => Some(resolve(&client, from, name, text)?.to_string()),
        None => None,
    };
    let path = format!("{}/promote", worker_path(from, name));
    let confirm = arguments.redeploy.confirm();
    let mut request = request(arguments, deployment)?;
    let call = with_parameters(
        &path,
        &[("dry_run", Some("true".to_owned())), ("confirm", confirm.clone())],
    );
    let what = format!("comparing {from} with {env}");
    let preview: Answer<PromotionPreview<'static>> =
        progress::during(&what, || client.send(&Method::POST, &call, &request))
            .map_err(|failure| explained(failure, &arguments.worker))?;
    let difference = preview.value.difference.as_deref();
    let problem = preview.value.problem.as_ref();
    if arguments.change.dry_run {
        session
            .output
            .either(&preview.json, |output| shown(output, from, *env, difference))?;
        return promotion_refused_if(problem, &arguments.worker);
    }
    if !session.output.is_json() {
        shown(&session.output, from, *env, difference)?;
    }
    promotion_refused_if(problem, &arguments.worker)?;
    Confirmation::of(*env, arguments.change.yes).ask(&format!("Promote {name} from {from} to {env}?"))?;
    // Exactly what was shown is promoted, although the source may change meanwhile.
    request.deployment = difference
        .map(|difference| difference.source.to_string())
        .or(request.deployment);
    let call = with_parameters(&path, &[("confirm", confirm)]);
    let what = format!("promoting {name} from {from} to {env}");
    let deployed: Answer<Deployed<'static, PromotionDifference>> =
        progress::during(&what, || client.send(&Method::POST, &call, &request))
            .map_err(|failure| explained(failure, &arguments.worker))?;
    report(
        &session.output,
        &deployed.json,
        &deployed.value.deployment,
        "Promoted",
    )
}

/// The environment to promote from.
fn source_of(from: Option<Environment>, to: Environment) -> Result<Environment, Failure> {
    let from = from.or(match to {
        Environment::Production => Some(Environment::Staging),
        Environment::Staging => Some(Environment::Development),
        Environment::Development => None,
    });
    match from {
        Some(from) if from != to => Ok(from),
        Some(_) => Err(Failure::usage(
            format!("--from and --env are both {to}"),
            "Write two environments.",
        )),
        None => Err(Failure::usage(
            "--from is missing",
            "Add --from staging or --from production.",
        )),
    }
}

fn request(arguments: &PromoteArguments, deployment: Option<String>) -> Result<PromoteRequest, Failure> {
    let mut bindings: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    for (name, member, value) in &arguments.bindings {
        bindings
            .entry(name.clone())
            .or_default()
            .insert(member.clone(), json!(value));
    }
    Ok(PromoteRequest {
        to: arguments.worker.env.namespace().to_owned(),
        deployment,
        secrets: arguments.redeploy.secrets()?,
        variables: arguments.choice_of_variables.into(),
        resources: arguments.choice_of_resources.into(),
        values: arguments
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect(),
        bindings,
    })
}

/// Writes what a promotion changes.
fn shown(
    output: &Output,
    from: Environment,
    to: Environment,
    difference: Option<&PromotionDifference>,
) -> Result<(), Failure> {
    let mut table = Table::properties();
    table.property("environment", Value::from(format!("{from} to {to}")));
    if let Some(difference) = difference {
        table.property("promoted", Value::from(short(&difference.source)));
        let replaced = difference.target.as_ref().map(short);
        table.property("replaced", Value::from(replaced.unwrap_or("nothing")));
        rows(&mut table, difference);
    }
    output.table(table)
}

fn rows(table: &mut Table, difference: &PromotionDifference) {
    match &difference.modules {
        None => table.property(
            "modules",
            Tone::Warning.of("unknown: the target was changed outside of the deploy API"),
        ),
        Some(modules) => {
            for (what, names) in [
                ("added", &modules.added),
                ("changed", &modules.changed),
                ("removed", &modules.removed),
            ] {
                let value = (!names.is_empty()).then(|| Value::from(names.join(", ")));
                table.property(&format!("modules {what}"), value);
            }
        }
    }
    let changes = difference.variables.iter().map(|change| ("variable", change));
    for (what, change) in changes.chain(difference.bindings.iter().map(|change| ("binding", change))) {
        table.property(what, binding(change));
    }
    for (name, values) in &difference.settings {
        let text = |value: &Option<Json>| value.as_ref().map_or_else(|| "none".to_owned(), Json::to_string);
        table.property(
            "setting",
            Value::from(format!(
                "{name}: {} instead of {}",
                text(&values.source),
                text(&values.target)
            )),
        );
    }
    for (what, names, tone) in [
        ("secrets given", &difference.secrets.given, Tone::Plain),
        ("secrets missing", &difference.secrets.missing, Tone::Bad),
    ] {
        table.property(what, (!names.is_empty()).then(|| tone.of(names.join(", "))));
    }
    let steps = difference.migrations.steps.len();
    table.property(
        "migrations",
        (steps > 0).then(|| Tone::Warning.of(format!("{steps}, which cannot be undone"))),
    );
}

fn binding(change: &BindingChange) -> Value {
    let value = |value: &Option<Json>| match value {
        None => "hidden".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let name = &change.name;
    match (change.change, change.from) {
        (BindingChangeKind::Removed, _) => Tone::Warning.of(format!("{name} is removed")),
        (_, None) => Tone::Bad.of(format!("{name} has no value in the target")),
        (_, Some(from)) => Value::from(format!(
            "{name} has the value of {}: {} here, {} there",
            match from {
                deploy_api::v1::types::BindingValueOf::Source => "the source",
                deploy_api::v1::types::BindingValueOf::Target => "the target",
                deploy_api::v1::types::BindingValueOf::Given => "this command",
            },
            value(&change.source),
            value(&change.target)
        )),
    }
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
fn losses(environment: Environment, preview: &DeletionPreview<'_>) -> Table {
    let mut table = Table::properties();
    let listed = &preview.worker.listed;
    table.property("environment", Value::from(environment.name()));
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

/// Writes a new deployment.
fn report(output: &Output, json: &Json, deployment: &Deployment<'_>, done: &str) -> Result<Exit, Failure> {
    output.either(json, |output| {
        output.line(format!(
            "{done}: {} is deployment {}.",
            deployment.worker,
            short(&deployment.id)
        ))?;
        let mut table = Table::properties();
        table.property("URL", Value::from(deployment.urls.join(" ")));
        let health = deployment.health.detail.clone();
        table.property("health", health.map(|detail| Tone::Warning.of(detail)));
        for warning in deployment.warnings.iter() {
            table.property(
                "warning",
                Tone::Warning.of(format!("{} ({})", warning.message, warning.code)),
            );
        }
        output.table(table)
    })?;
    Ok(Exit::Success)
}

/// A dry run that says that the change would be refused.
fn refused_if(problem: Option<&ProblemDocument<'static>>, worker: &WorkerArguments) -> Result<Exit, Failure> {
    match problem {
        None => Ok(Exit::Success),
        Some(document) => Err(explained(Failure::problem(document.clone()), worker)),
    }
}

fn promotion_refused_if(
    problem: Option<&ProblemDocument<'static>>,
    worker: &WorkerArguments,
) -> Result<Exit, Failure> {
    refused_if(problem, worker).map_err(|failure| {
        failure
            .suggest(
                &["PROMOTION_INCOMPLETE"],
                "Add --var NAME=VALUE and --bind NAME.MEMBER=VALUE for what the target lacks, or copy the values of the source: \
                 --variables copy-new, --resources copy-new.",
            )
            .suggest(&["SECRETS_MISSING"], "Add --secrets-file FILE with {\"NAME\": \"value\"} for the secrets that the target lacks.")
    })
}

/// A failure with the command that helps.
fn explained(failure: Failure, worker: &WorkerArguments) -> Failure {
    let WorkerArguments { name, env } = worker;
    failure
        .suggest(
            &["WORKER_LOCKED"],
            format!(
                "Wait, or type `dotdo unlock {name} --env {env}`; for a lock of the whole namespace, --all."
            ),
        )
        .suggest(
            &["WORKER_UNKNOWN"],
            format!("Type `dotdo workers {env}` to list the Workers of {env}."),
        )
        .suggest(
            &["DEPLOYMENT_UNKNOWN", "ROLLBACK_IMPOSSIBLE", "BUNDLE_MISSING"],
            format!("Type `dotdo deployments {name}` to list the deployments, and name one with --to."),
        )
        .suggest(
            &["REDEPLOY_INEXACT"],
            "Add --accept-inexact to accept this difference, or deploy the version from its sources.",
        )
        .suggest(
            &["SECRETS_MISSING"],
            "Add --secrets-file FILE with {\"NAME\": \"value\"}.",
        )
        .suggest(
            &["HEALTH_CHECK_FAILED"],
            format!("Type `dotdo health check {name} --env {env}` to check it again."),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promotion_comes_from_the_environment_before() {
        assert_eq!(
            source_of(None, Environment::Production).unwrap(),
            Environment::Staging
        );
        assert_eq!(
            source_of(None, Environment::Staging).unwrap(),
            Environment::Development
        );
        assert!(source_of(None, Environment::Development).is_err());
        assert!(source_of(Some(Environment::Staging), Environment::Staging).is_err());
        let from = source_of(Some(Environment::Production), Environment::Development);
        assert_eq!(from.unwrap(), Environment::Production);
    }

    #[test]
    fn members_of_bindings_are_read() {
        assert_eq!(pair("A=b=c").unwrap(), ("A".to_owned(), "b=c".to_owned()));
        let read = member("KV.namespace_id=1=2").unwrap();
        assert_eq!(
            read,
            ("KV".to_owned(), "namespace_id".to_owned(), "1=2".to_owned())
        );
        for text in ["KV", "KV=1", "KV.id"] {
            assert!(member(text).is_err(), "{text}");
        }
    }
}
