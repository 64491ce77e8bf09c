//! `dotdo migrate plan`.

use std::path::PathBuf;

use clap::Args;
use dotdo_names::Environment;

use super::inventory::Inventory;
use super::need::Verdict;
use super::plan_file::{Means, PlanFile, PlannedWorker};
use super::verdict::assess;
use crate::arguments;
use crate::commands::route;
use crate::count::counted;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::{Table, Tone, Value};

/// The calls to the deploy API at a time.
const PARALLEL: usize = 4;

/// The arguments of `dotdo migrate plan`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: the plan: {\"version\", \"account\", \"workers\", \"unknown\"}; a Worker has \"from\", \"to\", \"environment\", \"by\", \"verdict\" (`ready`, `needs` or `stays`), \"needs\", \"stays\", \"notes\", \"secrets\", \"etag\", \"address\", \"hosts\" and \"called_by\"."
)]
pub struct PlanArguments {
    /// Write the plan to this file, which can be edited and passed to the other commands
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// The environment of Workers whose names have no suffix of an environment
    #[arg(long, value_name = "ENV", value_parser = arguments::environment(), default_value = "production")]
    env: Environment,
    /// Read the JSON of ROUTES from this file, instead of the clone's wrangler.jsonc
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
}

/// Reads the account and judges each Worker.
pub fn plan(arguments: &PlanArguments, session: &Session) -> Result<Exit, Failure> {
    let router = route::router_of(arguments.routes.as_deref())?;
    let client = session.client()?;
    let inventory = progress::during("reading the account Workers", || {
        Inventory::read(&client, PARALLEL)
    })?;
    let plan = PlanFile::new(assess(&inventory, arguments.env, &router), inventory.unknown);
    if let Some(file) = &arguments.write {
        plan.write(file)?;
    }
    session.output.either(&plan, |output| {
        if plan.workers.is_empty() {
            return output.line("The account has no Workers outside of the namespaces.");
        }
        output.table(table(&plan.workers))?;
        output.line(format!("\n{}", summary(&plan)))?;
        for unknown in &plan.unknown {
            let reason = unknown.permission.as_ref().map_or_else(
                || unknown.reason.clone().into_owned(),
                |permission| format!("The deploy API's token lacks \"{permission}\"."),
            );
            output.line(format!("Not known: {}. {reason}", unknown.what))?;
        }
        match &arguments.write {
            Some(file) => output.line(format!(
                "The plan is in {0}. Edit it, then type `dotdo migrate run {0}`.",
                file.display()
            )),
            None => {
                output.line("Add --write FILE to write the plan to a file, for `dotdo migrate run FILE`.")
            }
        }
    })?;
    Ok(Exit::Success)
}

fn table(workers: &[PlannedWorker]) -> Table {
    let mut table = Table::new(&["account Worker", "becomes", "env", "verdict", "why"]);
    for worker in workers {
        let is_staying = worker.verdict == Verdict::Stays;
        let becomes = |text: &str| {
            if is_staying {
                String::new()
            } else {
                text.to_owned()
            }
        };
        let why: Vec<&str> = worker
            .stays
            .iter()
            .map(String::as_str)
            .chain(worker.needs.iter().map(|need| need.what.as_str()))
            .collect();
        table.row([
            worker.from.as_str().into(),
            becomes(&worker.to).into(),
            becomes(&worker.environment).into(),
            verdict(worker.verdict),
            why.join(" ").into(),
        ]);
    }
    table
}

fn verdict(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Ready => Tone::Good.of("ready"),
        Verdict::Needs => Tone::Warning.of("needs"),
        Verdict::Stays => Tone::Dim.of("stays"),
    }
}

fn summary(plan: &PlanFile) -> String {
    let with = |verdict| {
        plan.workers
            .iter()
            .filter(|worker| worker.verdict == verdict)
            .count()
    };
    let by = |means| plan.workers.iter().filter(|worker| worker.by == means).count();
    format!(
        "{}: {} ready, {}, {}. `run` imports {}, and {} must be deployed with wrangler.",
        counted(plan.workers.len(), "account Worker", "account Workers"),
        with(Verdict::Ready),
        counted(with(Verdict::Needs), "needs something", "need something"),
        counted(with(Verdict::Stays), "stays", "stay"),
        by(Means::Import),
        by(Means::Wrangler)
    )
}
