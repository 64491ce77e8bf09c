//! `dotdo migrate cutover`: [`changes`] finds the steps, [`zone_routes`] decides about one host, [`leftovers`] says what can be deleted.

mod changes;
mod leftovers;
mod report;
mod zone_routes;

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use serde_json::{Value, json};
use ureq::http::Method;

use self::changes::{Changes, Zones};
use self::leftovers::Leftovers;
use self::zone_routes::{Step, StepAction, in_order};
use super::inventory::account_hosts;
use super::plan_file::{PlanFile, PlannedWorker};
use super::records;
use crate::client::Client;
use crate::cloudflare::{BaseUrl, Cloudflare, CloudflareError, TokenArguments};
use crate::commands::route;
use crate::confirm::Confirmation;
use crate::count::counted;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// The arguments of `dotdo migrate cutover`.
#[derive(Args, Debug)]
#[command(
    after_help = "Without a token, the changes are only listed. A token needs \"Workers Routes: Edit\" for the zones. Type the same command again after an interruption: what was changed is not changed again.\n\nJSON: {\"steps\": [{\"zone_id\", \"pattern\", \"action\", \"from\", \"to\", \"route\", \"worker\"}], \"blocked\": [{\"worker\", \"host\", \"why\"}], \"made\", \"deletable\": [{\"worker\", \"command\", \"before\"}], \"kept\": [{\"worker\", \"why\"}]}; an action is `change`, `add`, `remove` or `none`. The exit code is 1 if a host is blocked."
)]
pub struct CutoverArguments {
    /// The file of the plan
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// Only these account Workers
    #[arg(value_name = "WORKER")]
    workers: Vec<String>,
    /// Lead the hosts back to the account Workers
    #[arg(long)]
    undo: bool,
    /// List the changes, and make none
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before the changes
    #[arg(long, short)]
    yes: bool,
    /// Read the JSON of ROUTES from this file, instead of the clone's wrangler.jsonc
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    #[command(flatten)]
    token: TokenArguments,
}

/// Makes the changes, or lists them.
pub fn cutover(arguments: &CutoverArguments, session: &Session) -> Result<Exit, Failure> {
    let plan = PlanFile::read(&arguments.plan)?;
    let moving = plan.moving(&arguments.workers)?;
    let router = route::router_of(arguments.routes.as_deref())?;
    let client = session.client()?;
    let hosts = account_hosts(&client)?.items;
    let cloudflare = match arguments.token.given()? {
        Some(token) => Some(connect(token)?),
        None => None,
    };
    let mut zones = Zones::new(cloudflare.as_ref(), &hosts);
    let mut changes = Changes::default();
    for planned in &moving {
        match ready(&client, planned, arguments.undo)? {
            Some(why) => changes.block_worker(planned, &why),
            None => changes.add(planned, &mut zones, &router, arguments.undo)?,
        }
    }
    changes.steps = in_order(changes.steps, arguments.undo);
    let open: Vec<&Step> = changes
        .steps
        .iter()
        .filter(|step| step.action != StepAction::None)
        .collect();
    let is_json = session.output.is_json();
    if !is_json {
        report::changes(&changes, session)?;
    }
    let mut made = 0;
    if let Some(cloudflare) = cloudflare
        .as_ref()
        .filter(|_| !arguments.dry_run && !open.is_empty())
    {
        let question = format!("Make {} of routes?", counted(open.len(), "change", "changes"));
        Confirmation::of_platform(arguments.yes).ask(&question)?;
        for step in &open {
            make(cloudflare, step)?;
            made += 1;
            session
                .output
                .note(&format!("[{made}/{}] {}", open.len(), report::sentence(step)));
        }
    }
    let is_over = made == open.len() && changes.blocked.is_empty();
    let leftovers = if is_over && !arguments.undo {
        Leftovers::new(&plan, &moving, &changes.absent)
    } else {
        Leftovers::default()
    };
    if is_json {
        session.output.json(&json!({
            "steps": changes.steps, "blocked": changes.blocked, "made": made,
            "deletable": leftovers.deletable, "kept": leftovers.kept,
        }))?;
    } else if is_over {
        report::end(arguments, &leftovers, session)?;
    } else if made < open.len() {
        report::nothing_made(arguments.dry_run, session)?;
    }
    Ok(if changes.blocked.is_empty() {
        Exit::Success
    } else {
        Exit::Refused
    })
}

fn connect(token: SecretString) -> Result<Cloudflare, Failure> {
    Ok(Cloudflare::new(BaseUrl::of_variables()?, token))
}

/// Why the hosts of a Worker are not moved; `None` if they can be. Nothing is needed to move them back.
fn ready(client: &Client, planned: &PlannedWorker, undo: bool) -> Result<Option<String>, Failure> {
    if undo {
        return Ok(None);
    }
    let (environment, name) = planned.checked_target()?;
    let serving = records::serving(client, environment, &name)?;
    Ok(serving.is_none().then(|| {
        format!(
            "{name} is not deployed in {}: `dotdo migrate run` first.",
            environment.name()
        )
    }))
}

fn make(cloudflare: &Cloudflare, step: &Step) -> Result<(), Failure> {
    let routes = format!("/zones/{}/workers/routes", step.zone_id);
    let body = json!({ "pattern": step.pattern, "script": step.to });
    let path = format!("{routes}/{}", step.route.as_deref().unwrap_or_default());
    let made = match step.action {
        StepAction::Change => cloudflare.send::<Value>(Method::PUT, &path, &body).map(drop),
        StepAction::Add => cloudflare.send::<Value>(Method::POST, &routes, &body).map(drop),
        StepAction::Remove => cloudflare.delete(&path),
        StepAction::None => Ok(()),
    };
    made.map_err(|error| refused(&error))
}

fn refused(error: &CloudflareError) -> Failure {
    error.failure(if error.is_token_invalid() {
        "Copy the token of Cloudflare's API again. Then type the same command again: it makes the changes that remain."
    } else if error.is_permission_missing() {
        "Give the token the permission \"Workers Routes: Edit\" for the zone. Then type the same command again: it makes the changes that remain."
    } else {
        "Type the same command again: it makes the changes that remain. `--undo` leads the hosts back."
    })
}
