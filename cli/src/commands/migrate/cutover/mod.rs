//! `dotdo migrate cutover`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use deploy_api::v1::types::{AccountHost, AccountHosts, HostKind};
use dispatcher::routing::Router;
use dotdo_names::DISPATCH_WORKER;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value as Json, json};
use ureq::http::Method;

use super::plan_file::{Means, PlanFile, PlannedWorker};
use super::records;
use super::verdict::is_routed;
use super::zone_routes::{Step, StepAction, Unchanged, ZoneRoute, in_order, step};
use crate::client::{Client, with_parameters};
use crate::cloudflare::{BaseUrl, Cloudflare, CloudflareError, TokenArguments};
use crate::commands::route;
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table::{Table, Tone, Value};

/// The arguments of `dotdo migrate cutover`.
#[derive(Args, Debug)]
#[command(
    after_help = "Without a token, the changes are only listed. A token needs \"Workers Routes: Edit\" for the zones. Type the same command again after an interruption: what was changed is not changed again.\n\nJSON: {\"steps\": [{\"zone_id\", \"pattern\", \"action\", \"from\", \"to\", \"route\", \"worker\"}], \"blocked\": [{\"worker\", \"host\", \"why\"}], \"made\", \"deletable\": [{\"worker\", \"command\"}], \"kept\": [{\"worker\", \"why\"}]}; an action is `change`, `add`, `remove` or `none`. The exit code is 1 if a host is blocked."
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

/// A host that is not changed.
#[derive(Debug, Serialize)]
struct Blocked {
    worker: String,
    host: String,
    why: String,
}

/// The changes of a plan.
#[derive(Default)]
struct Changes {
    steps: Vec<Step>,
    blocked: Vec<Blocked>,
}

/// Makes the changes, or lists them.
pub fn cutover(arguments: &CutoverArguments, session: &Session) -> Result<Exit, Failure> {
    let plan = PlanFile::read(&arguments.plan)?;
    let moving = plan.moving(&arguments.workers)?;
    let router = route::router_of(arguments.routes.as_deref())?;
    let client = session.client()?;
    let hosts = read_hosts(&client)?;
    let cloudflare = match arguments.token.given()? {
        Some(token) => Some(connect(token)?),
        None => None,
    };
    let mut zones = Zones {
        cloudflare: cloudflare.as_ref(),
        hosts: &hosts,
        routes: BTreeMap::new(),
    };
    let mut changes = Changes::default();
    for planned in &moving {
        if planned.hosts.is_empty() {
            continue;
        }
        match ready(&client, planned, arguments.undo)? {
            Some(why) => changes.block(planned, &planned.hosts, &why),
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
        show(&changes, session)?;
    }
    let mut made = 0;
    if let Some(cloudflare) = cloudflare
        .as_ref()
        .filter(|_| !arguments.dry_run && !open.is_empty())
    {
        let question = format!("Make {} changes of routes?", open.len());
        Confirmation::of_platform(arguments.yes).ask(&question)?;
        for step in &open {
            make(cloudflare, step)?;
            made += 1;
            session
                .output
                .note(&format!("[{made}/{}] {}", open.len(), sentence(step)));
        }
    }
    let is_over = made == open.len() && changes.blocked.is_empty();
    let (deletable, kept) = if is_over && !arguments.undo {
        leftovers(&plan, &moving)
    } else {
        (Vec::new(), Vec::new())
    };
    if is_json {
        session.output.json(&json!({
            "steps": changes.steps, "blocked": changes.blocked, "made": made, "deletable": deletable, "kept": kept,
        }))?;
    } else {
        end(
            arguments,
            made,
            open.len(),
            cloudflare.is_some(),
            &deletable,
            &kept,
            session,
        )?;
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

/// The routes and custom domains now, as the deploy API reads them.
fn read_hosts(client: &Client) -> Result<Vec<AccountHost>, Failure> {
    let mut hosts = Vec::new();
    let mut cursor = None;
    loop {
        let path = with_parameters("/v1/account/hosts", &[("cursor", cursor)]);
        let page: AccountHosts = client.get(&path)?.value;
        hosts.extend(page.items);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(hosts);
        }
    }
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

/// The routes of the zones now.
struct Zones<'a> {
    cloudflare: Option<&'a Cloudflare>,
    hosts: &'a [AccountHost],
    /// The routes of the zones that were read.
    routes: BTreeMap<String, Vec<ZoneRoute>>,
}

impl Zones<'_> {
    /// The routes of a zone: read with the token of this command, or else with that of the deploy API.
    fn routes(&mut self, zone: &str) -> Result<Vec<ZoneRoute>, Failure> {
        if let Some(routes) = self.routes.get(zone) {
            return Ok(routes.clone());
        }
        let routes = self.read(zone)?;
        self.routes.insert(zone.to_owned(), routes.clone());
        Ok(routes)
    }

    fn read(&self, zone: &str) -> Result<Vec<ZoneRoute>, Failure> {
        if let Some(cloudflare) = self.cloudflare {
            let path = format!("/zones/{zone}/workers/routes");
            return cloudflare.get(&path).map_err(|error| refused(&error));
        }
        let of_zone = self
            .hosts
            .iter()
            .filter(|host| host.zone_id == zone && host.kind == HostKind::Route);
        Ok(of_zone
            .map(|host| ZoneRoute {
                id: host.id.clone(),
                pattern: host.pattern.clone(),
                script: host.worker.clone(),
            })
            .collect())
    }

    fn has_domain(&self, host: &AccountHost, worker: &str) -> bool {
        self.hosts.iter().any(|found| {
            found.kind == HostKind::CustomDomain
                && found.pattern == host.pattern
                && found.worker.as_deref() == Some(worker)
        })
    }
}

impl Changes {
    fn block(&mut self, planned: &PlannedWorker, hosts: &[AccountHost], why: &str) {
        self.blocked.extend(hosts.iter().map(|host| Blocked {
            worker: planned.from.clone(),
            host: host.pattern.clone(),
            why: why.to_owned(),
        }));
    }

    fn add(
        &mut self,
        planned: &PlannedWorker,
        zones: &mut Zones<'_>,
        router: &Router,
        undo: bool,
    ) -> Result<(), Failure> {
        let (environment, name) = planned.checked_target()?;
        for host in &planned.hosts {
            if !undo && !is_routed(host, environment, name.as_str(), router) {
                let why = format!(
                    "No rule of the dispatch Worker leads it to {name} in {}.",
                    environment.name()
                );
                self.block(planned, std::slice::from_ref(host), &why);
                continue;
            }
            let of_zone = zones.routes(&host.zone_id)?;
            let has_domain = zones.has_domain(host, &planned.from);
            match step(&planned.from, host, &of_zone, undo, has_domain) {
                Ok(step) => self.steps.push(step),
                Err(Unchanged(why)) => self.block(planned, std::slice::from_ref(host), &why),
            }
        }
        Ok(())
    }
}

fn make(cloudflare: &Cloudflare, step: &Step) -> Result<(), Failure> {
    let routes = format!("/zones/{}/workers/routes", step.zone_id);
    let body = json!({ "pattern": step.pattern, "script": step.to });
    let path = format!("{routes}/{}", step.route.as_deref().unwrap_or_default());
    let made = match step.action {
        StepAction::Change => cloudflare.send::<Json>(Method::PUT, &path, &body).map(drop),
        StepAction::Add => cloudflare.send::<Json>(Method::POST, &routes, &body).map(drop),
        StepAction::Remove => cloudflare.delete(&path),
        StepAction::None => Ok(()),
    };
    made.map_err(|error| refused(&error))
}

fn refused(error: &CloudflareError) -> Failure {
    error.failure(if error.is_permission_missing() {
        "Give the token the permission \"Workers Routes: Edit\" for the zone. Then type the same command again: it makes the changes that remain."
    } else {
        "Type the same command again: it makes the changes that remain. `--undo` leads the hosts back."
    })
}

/// What can be deleted when every host of the plan is moved, and what cannot.
fn leftovers(plan: &PlanFile, moving: &[&PlannedWorker]) -> (Vec<Json>, Vec<Json>) {
    let mut deletable = Vec::new();
    let mut kept = Vec::new();
    let moved: Vec<&str> = plan
        .workers
        .iter()
        .filter(|worker| worker.by != Means::None)
        .map(|worker| worker.from.as_str())
        .collect();
    for worker in moving {
        let callers: Vec<&str> = worker
            .called_by
            .iter()
            .map(String::as_str)
            .filter(|name| !moved.contains(name))
            .collect();
        if !callers.is_empty() {
            let why = format!(
                "{} in the account have service bindings to it.",
                callers.join(", ")
            );
            kept.push(json!({ "worker": worker.from, "why": why }));
            continue;
        }
        let domains: Vec<&str> = worker
            .hosts
            .iter()
            .filter(|host| host.kind == HostKind::CustomDomain)
            .map(|host| host.pattern.as_str())
            .collect();
        let command = format!("npx wrangler delete --name {}", worker.from);
        let first = (!domains.is_empty()).then(|| {
            format!(
                "Before: attach {} to {DISPATCH_WORKER} (Workers & Pages, {DISPATCH_WORKER}, Domains). Deleting the Worker removes the DNS records of its custom domains.",
                domains.join(", ")
            )
        });
        deletable.push(json!({ "worker": worker.from, "command": command, "before": first }));
    }
    (deletable, kept)
}

fn sentence(step: &Step) -> String {
    let worker = |name: &Option<String>| name.clone().unwrap_or_else(|| "no Worker".to_owned());
    match step.action {
        StepAction::Change => format!(
            "route {} leads from {} to {}",
            step.pattern,
            worker(&step.from),
            worker(&step.to)
        ),
        StepAction::Add => format!(
            "route {} is added and leads to {}; the custom domain stays",
            step.pattern,
            worker(&step.to)
        ),
        StepAction::Remove => format!(
            "route {} is removed; the custom domain leads to {}",
            step.pattern, step.worker
        ),
        StepAction::None => format!("route {} needs no change", step.pattern),
    }
}

fn show(changes: &Changes, session: &Session) -> Result<(), Failure> {
    let mut table = Table::new(&["step", "route", "action", "from", "to"]);
    for (number, step) in (1..).zip(&changes.steps) {
        let action: Value = match step.action {
            StepAction::Change => "change".into(),
            StepAction::Add => "add".into(),
            StepAction::Remove => "remove".into(),
            StepAction::None => Tone::Dim.of("done"),
        };
        table.row([
            format!("{number}").into(),
            step.pattern.as_str().into(),
            action,
            step.from.clone().unwrap_or_default().into(),
            step.to.clone().unwrap_or_default().into(),
        ]);
    }
    if table.is_empty() {
        session
            .output
            .line("No route or custom domain is to be changed.")?;
    } else {
        session.output.table(table)?;
    }
    for blocked in &changes.blocked {
        session.output.line(format!(
            "Not changed: {} of {}. {}",
            blocked.host, blocked.worker, blocked.why
        ))?;
    }
    Ok(())
}

fn end(
    arguments: &CutoverArguments,
    made: usize,
    open: usize,
    has_token: bool,
    deletable: &[Json],
    kept: &[Json],
    session: &Session,
) -> Result<(), Failure> {
    let output = &session.output;
    let file = arguments.plan.display();
    if made < open {
        return output.line(if arguments.dry_run {
            "Nothing was changed.".to_owned()
        } else if has_token {
            format!("{made} of {open} changes were made.")
        } else {
            "Nothing was changed: without a token of Cloudflare's API, the changes are only listed. Set CLOUDFLARE_API_TOKEN, or make them in the dashboard in this order.".to_owned()
        });
    }
    if arguments.undo {
        return output.line("Every host leads to its account Worker.");
    }
    if !deletable.is_empty() || !kept.is_empty() {
        output.line(format!("`dotdo migrate cutover {file} --undo` leads the hosts back, as long as the account Workers exist."))?;
    }
    if !deletable.is_empty() {
        output.line("\nThese account Workers can be deleted when nobody needs the way back and their workers.dev addresses:")?;
    }
    for item in deletable {
        let text = |name: &str| item.get(name).and_then(Json::as_str).unwrap_or_default();
        output.line(format!("  {}", text("command")))?;
        if !text("before").is_empty() {
            output.line(format!("    {}", text("before")))?;
        }
    }
    for item in kept {
        let text = |name: &str| item.get(name).and_then(Json::as_str).unwrap_or_default();
        output.line(format!("  {} must stay: {}", text("worker"), text("why")))?;
    }
    Ok(())
}
