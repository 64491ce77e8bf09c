//! `dotdo lock` and `dotdo unlock`.

use clap::{ArgGroup, Args};
use deploy_api::v1::types::{Lock, LockRequest, LockState};
use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;
use ureq::http::Method;

use crate::arguments;
use crate::client::{Answer, worker_path};
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::times;

/// What is locked.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("place").required(true))]
struct Place {
    /// The name of the Worker
    #[arg(group = "place", value_parser = arguments::worker_name)]
    name: Option<WorkerName>,
    /// The whole namespace
    #[arg(long, group = "place")]
    all: bool,
    /// The environment: production, staging or development; account for a Worker of the platform
    #[arg(long, value_name = "ENV", value_parser = arguments::namespace())]
    env: Namespace,
}

impl Place {
    fn path(&self) -> String {
        match &self.name {
            Some(name) => format!("{}/lock", worker_path(self.env, name)),
            None => format!("/v1/namespaces/{}/lock", self.env.name()),
        }
    }

    fn named(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} in {}", self.env),
            None => format!("every Worker in {}", self.env),
        }
    }
}

/// The arguments of `dotdo lock`.
#[derive(Args, Debug)]
#[command(after_help = "JSON: {\"lock\": …}, the response of PUT …/lock.")]
pub struct LockArguments {
    #[command(flatten)]
    place: Place,
    /// The reason, which everybody sees whose change is rejected
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// The end: a duration from now such as 90m, 1h or 2d, a date or a time; default: until it is unlocked
    #[arg(long, value_name = "TIME", value_parser = times::future)]
    until: Option<Timestamp>,
    /// Do not ask before a change of production
    #[arg(long, short)]
    yes: bool,
}

/// The arguments of `dotdo unlock`.
#[derive(Args, Debug)]
#[command(after_help = "JSON: {\"lock\": …}, the lock that is still in effect, or null.")]
pub struct UnlockArguments {
    #[command(flatten)]
    place: Place,
    /// Do not ask before a change of production
    #[arg(long, short)]
    yes: bool,
}

/// Stops changes.
pub fn lock(arguments: &LockArguments, session: &Session) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let client = session.client()?;
    let named = place.named();
    Confirmation::of(place.env, arguments.yes).ask(&format!("Reject every change of {named}?"))?;
    let request = LockRequest {
        why: arguments.why.clone(),
        until: arguments.until,
    };
    let answer: Answer<LockState> =
        progress::during("locking", || client.send(&Method::PUT, &place.path(), &request))?;
    session
        .output
        .either(&answer.json, |output| match &answer.value.lock {
            Some(lock) => output.line(format!("Locked {named} {}.", until(lock))),
            None => output.line(format!("{named} is not locked.")),
        })?;
    Ok(Exit::Success)
}

/// Ends a lock.
pub fn unlock(arguments: &UnlockArguments, session: &Session) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let client = session.client()?;
    let named = place.named();
    let path = place.path();
    let present: LockState = client.get(&path)?.value;
    if let Some(lock) = &present.lock
        && !session.output.is_json()
    {
        session.output.line(format!(
            "Locked by {}: \"{}\", {}.",
            lock.by,
            lock.why,
            until(lock)
        ))?;
    }
    if present.lock.is_some() {
        Confirmation::of(place.env, arguments.yes).ask(&format!("Unlock {named}?"))?;
    }
    let answer: Answer<LockState> = progress::during("unlocking", || client.call(&Method::DELETE, &path))?;
    let remaining = answer.value.lock.as_ref();
    session.output.either(&answer.json, |output| {
        if remaining.is_none() {
            output.line(format!("{named} is not locked any more."))?;
        }
        Ok(())
    })?;
    match remaining {
        None => Ok(Exit::Success),
        Some(lock) => Err(Failure::refused(
            format!(
                "the namespace {} is locked by {}: \"{}\"",
                lock.namespace, lock.by, lock.why
            ),
            format!("Type `dotdo unlock --all --env {}` to end that lock.", place.env),
        )),
    }
}

fn until(lock: &Lock) -> String {
    match lock.until {
        Some(until) => format!("until {until:.0}"),
        None => "until it is unlocked".to_owned(),
    }
}
