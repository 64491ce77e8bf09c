//! `dotdo promote`.

use clap::Args;
use deploy_api::v1::types::{
    BindingChange, BindingChangeKind, BindingValueOf, Deployed, ProblemDocument, PromoteRequest,
    PromotionDifference, PromotionPreview,
};
use dotdo_names::Environment;
use serde_json::Value as Json;
use ureq::http::Method;

use super::binding_choices::BindingArguments;
use super::{explained, refused_if, report};
use crate::arguments::{self, ChangeArguments, RedeployArguments, WorkerArguments};
use crate::client::{Answer, with_parameters, worker_path};
use crate::commands::deployments::{resolve, short};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress;
use crate::session::Session;
use crate::table::{Table, Tone, Value};

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
    #[command(flatten)]
    bindings: BindingArguments,
    #[command(flatten)]
    redeploy: RedeployArguments,
    #[command(flatten)]
    change: ChangeArguments,
}

/// Deploys what one environment serves to another one.
pub fn promote(arguments: &PromoteArguments, session: &Session) -> Result<Exit, Failure> {
    let WorkerArguments { name, env } = &arguments.worker;
    let Some(env) = &env.environment() else {
        return Err(Failure::usage(
            "a Worker of the platform is the same for all environments, and cannot be promoted",
            "Deploy it from its repository: npm run deploy.",
        ));
    };
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
            .map_err(|failure| unpromotable(failure, from, &arguments.worker))?;
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
    let bindings = &arguments.bindings;
    Ok(PromoteRequest {
        to: arguments.worker.env.name().to_owned(),
        deployment,
        secrets: arguments.redeploy.secrets()?,
        variables: bindings.choice_of_variables().unwrap_or_default(),
        resources: bindings.choice_of_resources().unwrap_or_default(),
        values: bindings.values(),
        bindings: bindings.bindings(),
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
                BindingValueOf::Source => "the source",
                BindingValueOf::Target => "the target",
                BindingValueOf::Given => "this command",
            },
            value(&change.source),
            value(&change.target)
        )),
    }
}

/// A failure of the comparison, whose source can be empty.
fn unpromotable(failure: Failure, from: Environment, worker: &WorkerArguments) -> Failure {
    let name = &worker.name;
    explained(failure, worker).suggest(
        &["DEPLOYMENT_UNKNOWN"],
        format!(
            "Deploy it in {from} first, or name another environment with --from: `dotdo worker {name}` shows where it is deployed."
        ),
    )
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
}
