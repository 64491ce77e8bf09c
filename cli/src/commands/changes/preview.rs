//! `dotdo preview`.

use clap::Args;
use deploy_api::v1::types::{Deployment, DeploymentId, PreviewRequest};
use dotdo_names::{Environment, WorkerName};
use ureq::http::Method;

use super::binding_choices::BindingArguments;
use super::report;
use crate::arguments::{self, RedeployArguments};
use crate::client::{Answer, Client, with_parameters, worker_path};
use crate::commands::deployments::choose;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;

/// The arguments of `dotdo preview`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: the new deployment, the response of POST /v1/namespaces/{namespace}/workers/{worker}/preview.\n\nThe preview has the variables and the bindings of the Worker in development, and no secrets but those of --secrets-file. Its name has the last digits of the deployment's id, so the same command deploys the same preview again and renews it. `dotdo delete` removes it before it expires."
)]
pub struct PreviewArguments {
    /// The name of the Worker
    #[arg(value_parser = arguments::worker_name)]
    name: WorkerName,
    /// The deployment, by its id
    #[arg(long, value_name = "ID")]
    deployment: String,
    /// The environment of the deployment; default: every environment is searched for the id
    #[arg(long, value_name = "ENV", value_parser = arguments::environment())]
    env: Option<Environment>,
    #[command(flatten)]
    bindings: BindingArguments,
    #[command(flatten)]
    redeploy: RedeployArguments,
}

/// Serves an earlier deployment as a preview in development.
pub fn preview(arguments: &PreviewArguments, session: &Session) -> Result<Exit, Failure> {
    let PreviewArguments {
        name,
        bindings,
        redeploy,
        ..
    } = arguments;
    let secrets = redeploy.secrets()?;
    let client = session.client()?;
    let (environment, deployment) = progress::during("finding the deployment", || find(&client, arguments))?;
    let request = PreviewRequest {
        deployment: deployment.to_string(),
        secrets,
        variables: bindings.choice_of_variables(),
        resources: bindings.choice_of_resources(),
        values: bindings.values(),
        bindings: bindings.bindings(),
    };
    let path = format!("{}/preview", worker_path(environment, name));
    let call = with_parameters(&path, &[("confirm", redeploy.confirm())]);
    let answer: Answer<Deployment<'static>> = progress::during("deploying the preview", || {
        client.send(&Method::POST, &call, &request)
    })
    .map_err(|failure| explained(failure, name))?;
    report(&session.output, &answer.json, &answer.value, "Previewed")
}

/// The only deployment of the Worker whose id begins with the text, and its environment.
fn find(client: &Client, arguments: &PreviewArguments) -> Result<(Environment, DeploymentId), Failure> {
    let PreviewArguments {
        name,
        deployment,
        env,
        ..
    } = arguments;
    let parameters = [
        ("worker", Some(name.to_string())),
        ("namespace", arguments::namespace_name(env.map(Into::into))),
    ];
    let all: Vec<Deployment<'static>> = client.items("/v1/deployments", &parameters, None)?.value;
    let ids = all.iter().map(|found| found.id.as_ref());
    // Ids are written with hyphens and without.
    let text = DeploymentId::parse(deployment).map_or_else(|_| deployment.clone(), |id| id.to_string());
    let id = choose(&text, ids);
    let found = all
        .iter()
        .find(|found| Some(found.id.as_ref()) == id.as_ref())
        .and_then(|found| {
            let environment = Environment::from_namespace(&found.namespace)?;
            Some((environment, found.id.clone().into_owned()))
        });
    found.ok_or_else(|| {
        Failure::usage(
            format!("{deployment:?} is not the id of one deployment of {name} that you may read"),
            format!("Type `dotdo deployments {name}` to list them."),
        )
    })
}

fn explained(failure: Failure, name: &WorkerName) -> Failure {
    failure
        .suggest(
            &["PROMOTION_INCOMPLETE"],
            format!(
                "Deploy {name} to development, or add --var NAME=VALUE and --bind NAME.MEMBER=VALUE for what it lacks there, or copy \
                 the values of the deployment: --variables copy-new, --resources copy-new."
            ),
        )
        .suggest(
            &["SECRETS_MISSING"],
            "Add --secrets-file FILE with {\"NAME\": \"value\"}.",
        )
        .suggest(
            &["REDEPLOY_INEXACT"],
            "Add --accept-inexact to accept this difference, or deploy the version from its sources.",
        )
        .suggest(
            &["ROLLBACK_IMPOSSIBLE", "BUNDLE_MISSING"],
            format!("Type `dotdo deployments {name}` to list the deployments, and name another one."),
        )
}
