//! `dotdo health`.

use clap::{Args, Subcommand};
use deploy_api::v1::types::{HeaderProof, HealthCheckRequest, HealthCheckState, Proof, WorkerVerification};
use ureq::http::Method;

use crate::arguments::WorkerArguments;
use crate::client::{Answer, with_parameters, worker_path};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress;
use crate::session::Session;

/// A command about health checks.
#[derive(Debug, Subcommand)]
pub enum HealthCommand {
    /// Show the health check
    #[command(after_help = "JSON: {\"health_check\": …}, null if there is none.")]
    Show(WorkerArguments),
    /// Check each later deployment; one that fails is rolled back
    #[command(after_help = "JSON: {\"health_check\": …}.")]
    Set(SetArguments),
    /// Remove the health check
    #[command(after_help = "JSON: {\"health_check\": null}.")]
    Remove {
        #[command(flatten)]
        worker: WorkerArguments,
        /// Do not ask before a change of production
        #[arg(long, short)]
        yes: bool,
    },
    /// Send a request now: is the recorded deployment deployed, and does it answer?
    #[command(after_help = "JSON: the response of POST …/verify. The exit code is 1 if a check failed.")]
    Check {
        #[command(flatten)]
        worker: WorkerArguments,
        /// The path of the request; default: that of the health check, or /
        #[arg(long)]
        path: Option<String>,
        /// The expected status; default: that of the health check, or any
        #[arg(long, value_name = "STATUS")]
        expect: Option<u16>,
    },
}

/// The arguments of `dotdo health set`.
#[derive(Args, Debug)]
pub struct SetArguments {
    #[command(flatten)]
    worker: WorkerArguments,
    /// The path of the request
    #[arg(long)]
    path: String,
    /// The expected status
    #[arg(long, value_name = "STATUS", default_value_t = 200)]
    expect: u16,
    /// A header that proves which version answers, such as 'x-version: {tag}'
    #[arg(long, value_name = "NAME: VALUE", conflicts_with = "proof_body", value_parser = header)]
    proof_header: Option<HeaderProof>,
    /// A text of the body that proves which version answers, such as '"version":"{tag}"'
    #[arg(long, value_name = "TEXT")]
    proof_body: Option<String>,
    /// Do not ask before a change of production
    #[arg(long, short)]
    yes: bool,
}

fn header(text: &str) -> Result<HeaderProof, String> {
    let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
    Ok(HeaderProof {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
    })
}

/// Runs a command about health checks.
pub fn run(command: &HealthCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        HealthCommand::Show(worker) => {
            let client = session.client()?;
            let answer = progress::during("reading the health check", || client.get(&path(worker)))?;
            show(&session.output, &answer)
        }
        HealthCommand::Set(arguments) => set(arguments, session),
        HealthCommand::Remove { worker, yes } => {
            let client = session.client()?;
            let WorkerArguments { name, env } = worker;
            Confirmation::of(*env, *yes).ask(&format!("Remove the health check of {name} in {env}?"))?;
            let answer = progress::during("removing the health check", || {
                client.call(&Method::DELETE, &path(worker))
            })?;
            show(&session.output, &answer)
        }
        HealthCommand::Check { worker, path, expect } => check(worker, path.clone(), *expect, session),
    }
}

fn path(worker: &WorkerArguments) -> String {
    format!("{}/health-check", worker_path(worker.env, &worker.name))
}

fn set(arguments: &SetArguments, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let WorkerArguments { name, env } = &arguments.worker;
    Confirmation::of(*env, arguments.yes).ask(&format!("Check each later deployment of {name} in {env}?"))?;
    let header = arguments.proof_header.clone().map(Proof::Header);
    let request = HealthCheckRequest {
        path: arguments.path.clone(),
        expect: arguments.expect,
        proof: header.or_else(|| arguments.proof_body.clone().map(Proof::Body)),
    };
    let answer = progress::during("setting the health check", || {
        client.send(&Method::PUT, &path(&arguments.worker), &request)
    })?;
    show(&session.output, &answer)
}

fn show(output: &Output, answer: &Answer<HealthCheckState>) -> Result<Exit, Failure> {
    output.either(&answer.json, |output| {
        let Some(check) = &answer.value.health_check else {
            return output.line("There is no health check.");
        };
        let proof = match &check.proof {
            None => "without a proof of the version".to_owned(),
            Some(Proof::Header(header)) => format!("with the header {}: {}", header.name, header.value),
            Some(Proof::Body(text)) => format!("with {text:?} in the body"),
        };
        output.line(format!("{} must answer {} {proof}.", check.path, check.expect))
    })?;
    Ok(Exit::Success)
}

fn check(
    worker: &WorkerArguments,
    request_path: Option<String>,
    expect: Option<u16>,
    session: &Session,
) -> Result<Exit, Failure> {
    let client = session.client()?;
    let WorkerArguments { name, env } = worker;
    let known: HealthCheckState = client.get(&path(worker))?.value;
    let known = known
        .health_check
        .filter(|_| request_path.is_none() && expect.is_none());
    let request_path = request_path.or_else(|| known.as_ref().map(|check| check.path.clone()));
    let expect = expect.or_else(|| known.map(|check| check.expect));
    let call = with_parameters(
        &format!("{}/verify", worker_path(*env, name)),
        &[
            ("path", request_path),
            ("expect", expect.map(|status| status.to_string())),
        ],
    );
    let answer: Answer<WorkerVerification> = progress::during(&format!("checking {name} in {env}"), || {
        client.call(&Method::POST, &call)
    })?;
    let WorkerVerification {
        verified,
        reason,
        health_check,
        ..
    } = &answer.value;
    session.output.either(&answer.json, |output| {
        if *verified {
            let status = health_check
                .status
                .map_or_else(String::new, |status| format!(" with {status}"));
            output.line(format!("{} answers{status}.", health_check.url))?;
        }
        Ok(())
    })?;
    if *verified {
        return Ok(Exit::Success);
    }
    Err(Failure::refused(
        reason.clone().unwrap_or_else(|| "a check failed".to_owned()),
        format!(
            "Type `dotdo worker {name}` to see its state, and `dotdo rollback {name} --env {env}` to go back."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_http_writes_it() {
        let read = header("x-version: a:{tag}").unwrap();
        assert_eq!(
            (read.name.as_str(), read.value.as_str()),
            ("x-version", "a:{tag}")
        );
        assert!(header("x-version").is_err());
    }
}
