//! `dotdo migrate verify`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::addresses::{self, Requester};
use super::compare::{Difference, differences};
use super::inventory::{each, parallel};
use super::plan_file::PlanFile;
use super::records;
use super::requests::{RecordedRequest, of_file, of_paths};
use crate::count::counted;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::{Table, Tone};

/// The arguments of `dotdo migrate verify`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"compared\", \"skipped\", \"differences\": [{\"worker\", \"method\", \"path\", \"what\", \"old\", \"new\"}]}; `what` is `status`, `header NAME`, `body` or `response`. The exit code is 1 if there is a difference."
)]
pub struct VerifyArguments {
    /// The file of the plan
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// Only these account Workers
    #[arg(value_name = "WORKER")]
    workers: Vec<String>,
    /// A path to request; may be repeated (default: `/`)
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// A file with recorded requests, one JSON object a line: {"worker", "method", "path", "headers", "body"}
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// Send requests with other methods than GET and HEAD as well: each of them is sent twice
    #[arg(long)]
    all_methods: bool,
    /// The addresses of the account Workers, such as `https://{worker}.example.workers.dev`; default: those of the plan
    #[arg(long, value_name = "URL")]
    old: Option<String>,
    /// The addresses of the Workers in the namespaces, such as `https://{to}.example.com`; default: those of the deploy API
    #[arg(long, value_name = "URL")]
    new: Option<String>,
    /// How many requests are sent at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = parallel())]
    parallel: usize,
}

/// A request to both addresses of a Worker.
struct Pair {
    worker: String,
    old: String,
    new: String,
    request: RecordedRequest,
}

/// A difference, with the request.
#[derive(Debug, Serialize)]
struct Found {
    worker: String,
    method: String,
    path: String,
    #[serde(flatten)]
    difference: Difference,
}

/// Compares the Workers of a plan.
pub fn verify(arguments: &VerifyArguments, session: &Session) -> Result<Exit, Failure> {
    let plan = PlanFile::read(&arguments.plan)?;
    let mut requests = of_paths(&arguments.paths)?;
    if let Some(file) = &arguments.requests {
        requests.extend(of_file(file)?);
    }
    if requests.is_empty() {
        requests.push(RecordedRequest::of_path("/"));
    }
    if let Some(unknown) = requests
        .iter()
        .filter_map(|request| request.worker.as_ref())
        .find(|name| plan.workers.iter().all(|worker| worker.from != **name))
    {
        return Err(Failure::usage(
            format!("a recorded request names {unknown:?}, which is not in the plan"),
            "Write the name that the Worker has in the account.",
        ));
    }
    let client = session.client()?;
    let mut pairs = Vec::new();
    let mut skipped = Vec::new();
    for planned in plan.moving(&arguments.workers)? {
        let (environment, name) = planned.checked_target()?;
        let Some(deployment) = records::serving(&client, environment, &name)? else {
            skipped.push(format!("{} is not deployed in {} yet.", name, environment.name()));
            continue;
        };
        let known = deployment.urls.first().map(String::as_str);
        let new = addresses::new(arguments.new.as_deref(), known, planned)?;
        let old = addresses::old(arguments.old.as_deref(), planned)?;
        let (Some(old), Some(new)) = (&old, &new) else {
            let option = if old.is_none() { "--old" } else { "--new" };
            skipped.push(format!(
                "{} has no known address: write it as \"address\" into the plan, or pass {option} 'https://{{worker}}.example.com'.",
                planned.from
            ));
            continue;
        };
        for request in &requests {
            if request
                .worker
                .as_ref()
                .is_some_and(|worker| *worker != planned.from)
            {
                continue;
            }
            if !request.is_safe() && !arguments.all_methods {
                skipped.push(format!(
                    "{} {} of {} is not sent without --all-methods.",
                    request.method, request.path, planned.from
                ));
                continue;
            }
            pairs.push(Pair {
                worker: planned.from.clone(),
                old: old.clone(),
                new: new.clone(),
                request: request.clone(),
            });
        }
    }
    let requester = Requester::new();
    let found: Vec<Found> = progress::during("comparing the Workers", || {
        each(&pairs, arguments.parallel, |pair| compare(&requester, pair))
    })
    .into_iter()
    .flatten()
    .collect();
    report(pairs.len(), &skipped, &found, session)?;
    // Nothing was compared: that is not a success.
    Ok(if found.is_empty() && !pairs.is_empty() {
        Exit::Success
    } else {
        Exit::Refused
    })
}

fn compare(requester: &Requester, pair: &Pair) -> Vec<Found> {
    let old = requester.send(&pair.old, &pair.request);
    let new = requester.send(&pair.new, &pair.request);
    let found = match (old, new) {
        (Ok(old), Ok(new)) => differences(&old, &new),
        (old, new) => {
            let shown = |address: &str, received: Result<_, String>, option: &str| match received {
                Ok(_) => format!("{address} answers"),
                Err(error) => {
                    format!("{address} does not answer ({error}): pass another address with {option}")
                }
            };
            vec![Difference {
                what: "response".to_owned(),
                old: shown(&pair.old, old, "--old"),
                new: shown(&pair.new, new, "--new"),
            }]
        }
    };
    found
        .into_iter()
        .map(|difference| Found {
            worker: pair.worker.clone(),
            method: pair.request.method.clone(),
            path: pair.request.path.clone(),
            difference,
        })
        .collect()
}

fn report(compared: usize, skipped: &[String], found: &[Found], session: &Session) -> Result<(), Failure> {
    let json = json!({ "compared": compared, "skipped": skipped, "differences": found });
    session.output.either(&json, |output| {
        for skipped in skipped {
            output.line(skipped)?;
        }
        if compared == 0 {
            return output.line("Nothing was compared.");
        }
        if found.is_empty() {
            return output.line(format!(
                "{} compared, no difference.",
                counted(compared, "request", "requests")
            ));
        }
        let mut table = Table::new(&["account Worker", "request", "what", "account", "namespace"]);
        for found in found {
            table.row([
                found.worker.as_str().into(),
                format!("{} {}", found.method, found.path).into(),
                found.difference.what.as_str().into(),
                found.difference.old.as_str().into(),
                Tone::Bad.of(found.difference.new.as_str()),
            ]);
        }
        output.table(table)?;
        output.line(format!(
            "\n{} compared, {}.",
            counted(compared, "request", "requests"),
            counted(found.len(), "difference", "differences")
        ))
    })
}
