//! `dotdo rollback`, `promote`, `preview` and `delete`. All but `preview`, which replaces nothing, show what they would change, ask in production, and then change exactly that.

mod binding_choices;
mod delete;
mod preview;
mod promote;
mod rollback;

use deploy_api::v1::types::{Deployment, ProblemDocument};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::deployments::short;
use crate::arguments::WorkerArguments;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::table::{Table, Tone, Value};
use crate::times;

pub use delete::{DeleteArguments, delete};
pub use preview::{PreviewArguments, preview};
pub use promote::{PromoteArguments, promote};
pub use rollback::{RollbackArguments, rollback};

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
        let expires = deployment.preview.as_ref().map(|preview| preview.expires);
        table.property(
            "expires",
            expires.map(|expires| Value::from(times::ago(expires, Timestamp::now()))),
        );
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
