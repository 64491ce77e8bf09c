//! `npm run check`: whether the configuration of both Workers holds together, before a deploy tries it on everybody.

mod deploy_api;
mod dispatch_worker;
mod zone;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::Value;

use crate::{build::Worker, workspace, wrangler_config};

#[derive(Args, Default)]
pub struct Arguments {
    /// Print only what is wrong
    #[arg(long)]
    quiet: bool,
}

/// Checks both configurations, and prints everything that is wrong with them.
///
/// # Errors
/// When anything is wrong.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut wrong = 0;
    for worker in [Worker::Dispatcher, Worker::DeployApi] {
        let file = worker.configuration();
        match check(worker) {
            Ok(summary) if arguments.quiet => drop(summary),
            Ok(summary) => eprintln!("[check] {file}: {summary}"),
            Err(problems) => {
                wrong += problems.len();
                for problem in problems {
                    eprintln!("[check] {file}: {problem}");
                }
            }
        }
    }
    match wrong {
        0 => Ok(()),
        1 => bail!("one thing is wrong with the configuration: correct it before a deploy"),
        _ => bail!("{wrong} things are wrong with the configuration: correct them before a deploy"),
    }
}

/// What a Worker's configuration holds, in a few words, or everything that is wrong with it.
fn check(worker: Worker) -> Result<String, Vec<String>> {
    let configuration = wrangler_config::read(&workspace::path(worker.configuration()))
        .map_err(|error| vec![format!("{error:#}")])?;
    match worker {
        Worker::Dispatcher => dispatch_worker::check(&configuration),
        Worker::DeployApi => deploy_api::check(&configuration),
    }
}

/// Checks that a key holds exactly this text.
fn must_be(configuration: &Value, key: &str, expected: &str, problems: &mut Vec<String>) {
    let found = &configuration[key];
    if found != expected {
        let found = if found.is_null() {
            "missing".to_owned()
        } else {
            found.to_string()
        };
        problems.push(format!("\"{key}\" is {found}: write \"{expected}\""));
    }
}

/// The elements of an array; none where there is no array.
fn elements<'c>(configuration: &'c Value, pointer: &str) -> &'c [Value] {
    configuration
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// What is wrong, or `summary` where nothing is.
fn verdict(problems: Vec<String>, summary: String) -> Result<String, Vec<String>> {
    if problems.is_empty() {
        Ok(summary)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_both_workers_holds() {
        for worker in [Worker::Dispatcher, Worker::DeployApi] {
            let summary = check(worker).expect("the configuration holds");
            assert!(!summary.is_empty());
        }
    }
}
