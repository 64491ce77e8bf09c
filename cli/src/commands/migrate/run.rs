//! `dotdo migrate run`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use deploy_api::v1::types::{Deployment, ImportRequest, ListedAccountWorker};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use ureq::http::Method;

use super::inventory::{each, parallel};
use super::plan_file::{Means, PlanFile, PlannedWorker};
use super::records::{Placed, placed};
use super::secrets::SecretValues;
use crate::client::{Client, worker_path};
use crate::confirm::Confirmation;
use crate::count::counted;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table::{Table, Tone, Value};

/// How long `run` waits while Cloudflare limits the calls of the deploy API, and between two tries.
const LIMITED: Duration = Duration::from_secs(330);
const PAUSE: Duration = Duration::from_secs(5);

/// The arguments of `dotdo migrate run`.
#[derive(Args, Debug)]
#[command(
    after_help = "Type the same command again after an interruption: Workers that were imported, and did not change since, are not imported again.\n\nJSON: {\"workers\": [{\"from\", \"to\", \"environment\", \"outcome\", \"deployment\", \"detail\"}]}; an outcome is `imported`, `current`, `kept`, `wrangler` or `failed`. The exit code is 1 if one failed."
)]
pub struct RunArguments {
    /// The file of the plan
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// Only these account Workers
    #[arg(value_name = "WORKER")]
    workers: Vec<String>,
    /// A JSON file with the values of secrets, {"account-worker": {"NAME": "value"}}
    #[arg(long, value_name = "FILE")]
    secrets_file: Option<PathBuf>,
    /// How many Workers are imported at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = parallel())]
    parallel: usize,
    /// Import also over deployments that were made in the namespace since
    #[arg(long)]
    overwrite: bool,
    /// Do not ask before a change of production
    #[arg(long, short)]
    yes: bool,
}

/// What happened to a Worker.
#[derive(Debug, Serialize)]
struct Done {
    from: String,
    to: String,
    environment: String,
    outcome: RunOutcome,
    deployment: Option<String>,
    detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum RunOutcome {
    /// It was imported now.
    Imported,
    /// It was imported before, and the account Worker did not change since.
    Current,
    /// Something else was deployed since, and stays.
    Kept,
    /// wrangler must deploy it.
    Wrangler,
    /// It was not imported.
    Failed,
}

/// Imports the Workers of a plan.
pub fn run(arguments: &RunArguments, session: &Session) -> Result<Exit, Failure> {
    let plan = PlanFile::read(&arguments.plan)?;
    let moving = plan.moving(&arguments.workers)?;
    let values = match &arguments.secrets_file {
        Some(file) => SecretValues::read(file)?,
        None => SecretValues::default(),
    };
    values.check(&plan.workers)?;
    let client = session.client()?;
    let listed: Vec<ListedAccountWorker> = client.items("/v1/account/workers", &[], None)?.value;
    let production = moving
        .iter()
        .filter(|worker| worker.environment == "production")
        .count();
    let confirmation = Confirmation {
        is_given: arguments.yes,
        is_needed: production > 0,
    };
    confirmation.ask(&format!(
        "Deploy {} to production? The account Workers stay as they are.",
        counted(production, "account Worker", "account Workers")
    ))?;

    // Everything is asked before the first import, so that nobody needs to wait at the terminal.
    let tasks: Vec<Task<'_>> = moving
        .iter()
        .map(|planned| Task::prepare(&client, planned, &listed, &values, arguments.overwrite))
        .collect::<Result<_, _>>()?;
    let finished = AtomicUsize::new(0);
    let imports = tasks
        .iter()
        .filter(|task| matches!(task.todo, Todo::Import(_)))
        .count();
    let done = each(&tasks, arguments.parallel, |task| {
        let done = task.execute(&client, &plan);
        if matches!(task.todo, Todo::Import(_)) {
            let number = finished.fetch_add(1, Ordering::Relaxed) + 1;
            let what = if done.outcome == RunOutcome::Failed {
                "failed"
            } else {
                "imported"
            };
            session.output.note(&format!(
                "[{number}/{imports}] {what} {} to {} in {}",
                done.from, done.to, done.environment
            ));
        }
        done
    });
    report(&done, &arguments.plan, session)?;
    let has_failed = done.iter().any(|done| done.outcome == RunOutcome::Failed);
    Ok(if has_failed { Exit::Refused } else { Exit::Success })
}

/// What is to be done for one Worker.
struct Task<'a> {
    planned: &'a PlannedWorker,
    todo: Todo,
}

enum Todo {
    Import(BTreeMap<String, SecretString>),
    Nothing(RunOutcome, Option<String>, Option<String>),
}

impl<'a> Task<'a> {
    fn prepare(
        client: &Client,
        planned: &'a PlannedWorker,
        listed: &[ListedAccountWorker],
        values: &SecretValues,
        overwrite: bool,
    ) -> Result<Self, Failure> {
        let with = |todo| Ok(Self { planned, todo });
        let etag = listed
            .iter()
            .find(|listed| listed.name == planned.from)
            .map(|listed| listed.etag.as_deref());
        let found = placed(client, planned, etag.flatten())?;
        match found {
            Placed::Imported(deployment) => {
                return with(Todo::Nothing(
                    RunOutcome::Current,
                    Some(deployment.id.to_string()),
                    None,
                ));
            }
            Placed::Other(deployment) if !overwrite => {
                let detail = format!(
                    "The namespace has a deployment ({}) that is not an import of it. It stays; --overwrite replaces it.",
                    deployment.action.name()
                );
                return with(Todo::Nothing(
                    RunOutcome::Kept,
                    Some(deployment.id.to_string()),
                    Some(detail),
                ));
            }
            Placed::Absent | Placed::Outdated | Placed::Other(_) => {}
        }
        if planned.by == Means::Wrangler {
            let (environment, name) = planned.checked_target()?;
            let command = format!(
                "In its repository: npx wrangler deploy --name {name} --dispatch-namespace {}",
                environment.namespace()
            );
            return with(Todo::Nothing(RunOutcome::Wrangler, None, Some(command)));
        }
        if etag.is_none() {
            let detail = "The account does not have it any more.".to_owned();
            return with(Todo::Nothing(RunOutcome::Failed, None, Some(detail)));
        }
        with(Todo::Import(values.of(planned)?))
    }

    fn execute(&self, client: &Client, plan: &PlanFile) -> Done {
        let done = |outcome, deployment, detail| Done {
            from: self.planned.from.clone(),
            to: self.planned.to.clone(),
            environment: self.planned.environment.clone(),
            outcome,
            deployment,
            detail,
        };
        match &self.todo {
            Todo::Nothing(outcome, deployment, detail) => done(*outcome, deployment.clone(), detail.clone()),
            Todo::Import(secrets) => match import(client, plan, self.planned, secrets) {
                Ok(deployment) => {
                    let warnings: Vec<&str> = deployment
                        .warnings
                        .iter()
                        .map(|warning| warning.message.as_str())
                        .collect();
                    let detail = (!warnings.is_empty()).then(|| warnings.join(" "));
                    done(RunOutcome::Imported, Some(deployment.id.to_string()), detail)
                }
                Err(failure) => done(RunOutcome::Failed, None, Some(failure.text().replace('\n', " "))),
            },
        }
    }
}

fn import(
    client: &Client,
    plan: &PlanFile,
    planned: &PlannedWorker,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Deployment<'static>, Failure> {
    let (environment, name) = planned.checked_target()?;
    let request = ImportRequest {
        from: planned.from.clone(),
        secrets: secrets.clone(),
        services: services(plan, planned),
    };
    let path = format!("{}/import", worker_path(environment, &name));
    let begin = Instant::now();
    loop {
        match client.send::<Deployment<'static>>(&Method::POST, &path, &request) {
            Ok(answer) => return Ok(answer.value),
            Err(failure) if failure.is("UPSTREAM_RATE_LIMITED") && begin.elapsed() < LIMITED => {
                thread::sleep(PAUSE);
            }
            Err(failure) => {
                let next = "Add --secrets-file FILE with {\"account-worker\": {\"NAME\": \"value\"}}.";
                return Err(failure.suggest(&["SECRETS_MISSING"], next));
            }
        }
    }
}

/// The Workers that move to the same namespace, by their names in the account.
fn services(plan: &PlanFile, planned: &PlannedWorker) -> BTreeMap<String, String> {
    let others = plan.workers.iter().filter(|other| other.by != Means::None);
    others
        .filter(|other| other.environment == planned.environment)
        .map(|other| (other.from.clone(), other.to.clone()))
        .collect()
}

fn report(done: &[Done], plan: &std::path::Path, session: &Session) -> Result<(), Failure> {
    session.output.either(&json!({ "workers": done }), |output| {
        let mut table = Table::new(&["account Worker", "becomes", "env", "outcome", "detail"]);
        for done in done {
            table.row([
                done.from.as_str().into(),
                done.to.as_str().into(),
                done.environment.as_str().into(),
                outcome(done.outcome),
                done.detail.clone().unwrap_or_default().into(),
            ]);
        }
        if table.is_empty() {
            return output.line("The plan moves no Worker.");
        }
        output.table(table)?;
        output.line(format!(
            "\nType `dotdo migrate verify {}` to compare the Workers. Nothing leads to the new ones yet, except their own hosts.",
            plan.display()
        ))
    })
}

fn outcome(outcome: RunOutcome) -> Value {
    match outcome {
        RunOutcome::Imported => Tone::Good.of("imported"),
        RunOutcome::Current => Tone::Dim.of("current"),
        RunOutcome::Kept => Tone::Warning.of("kept"),
        RunOutcome::Wrangler => Tone::Warning.of("wrangler"),
        RunOutcome::Failed => Tone::Bad.of("failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan_file::tests::planned;
    use super::*;

    #[test]
    fn service_bindings_reach_the_workers_that_move_to_the_same_environment() {
        let mut other = planned("auth", "auth");
        other.environment = "production".to_owned();
        let mut staying = planned("cron-staging", "cron");
        staying.by = Means::None;
        let plan = PlanFile::new(
            vec![
                planned("api-staging", "api"),
                planned("auth-staging", "auth"),
                other,
                staying,
            ],
            Vec::new(),
        );
        let expected = [("api-staging", "api"), ("auth-staging", "auth")];
        let expected = expected.map(|(from, to)| (from.to_owned(), to.to_owned()));
        assert_eq!(services(&plan, &plan.workers[0]), BTreeMap::from(expected));
    }
}
