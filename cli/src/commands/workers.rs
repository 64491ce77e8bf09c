//! `dotdo workers` and `dotdo worker`.

use clap::Args;
use deploy_api::v1::types::{Everywhere, HealthResult, InEnvironment, ListedWorker, Namespaces};
use dotdo_names::{Environment, Namespace, WorkerName};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::status::previewed;
use crate::arguments;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::{Session, commit, who};
use crate::table::{Table, Tone, Value};
use crate::times;

/// The columns of a terminal on which the list of Workers has their URLs.
const WIDE: u16 = 100;

/// The arguments of `dotdo workers`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"namespaces\": [{\"environment\", \"namespace\", \"items\"}]}; the items are those of GET /v1/namespaces/{namespace}/workers."
)]
pub struct WorkersArguments {
    /// Only the Workers of this environment; account for those of the platform
    #[arg(value_name = "ENV", value_parser = arguments::namespace())]
    env: Option<Namespace>,
    /// Only Workers with this tag
    #[arg(long)]
    tag: Option<String>,
}

/// The arguments of `dotdo worker`.
#[derive(Args, Debug)]
#[command(after_help = "JSON: the response of GET /v1/workers/{worker}.")]
pub struct WorkerArguments {
    /// The name of the Worker
    #[arg(value_parser = arguments::worker_name)]
    name: WorkerName,
}

/// Lists the Workers of one environment, or of all that the caller may read.
pub fn list(arguments: &WorkersArguments, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let mut listed: Vec<(Namespace, Vec<ListedWorker>)> = Vec::new();
    let mut json = Vec::new();
    progress::during("listing the Workers", || {
        for namespace in namespaces(arguments.env, &client)? {
            let path = format!("/v1/namespaces/{}/workers", namespace.name());
            let answer = client.items(&path, &[("tag", arguments.tag.clone())], None)?;
            json.push(in_namespace(namespace, answer.json));
            listed.push((namespace, answer.value));
        }
        Ok::<(), Failure>(())
    })?;
    session.output.either(&json!({ "namespaces": json }), |output| {
        let now = Timestamp::now();
        // On a narrow terminal, only `dotdo worker NAME` shows them.
        let shows_urls = output.terminal().width.is_none_or(|width| width >= WIDE);
        let mut table = Table::new(&["Worker", "env", "deployed", "by", "state", "URL"]);
        for (namespace, workers) in &listed {
            for worker in workers {
                let last = worker.last_deployment.as_ref();
                table.row([
                    worker.name.as_str().into(),
                    namespace.short_name().into(),
                    last.map_or_else(String::new, |last| times::ago(last.created, now))
                        .into(),
                    last.map_or_else(String::new, |last| who(&last.identity)).into(),
                    state(worker, now),
                    if shows_urls {
                        worker.urls.join(" ")
                    } else {
                        String::new()
                    }
                    .into(),
                ]);
            }
        }
        if table.is_empty() {
            let namespace = arguments.env.unwrap_or(Environment::Staging.into()).name();
            return output.line(match &arguments.tag {
                Some(tag) => format!("There are no Workers with the tag {tag}."),
                None => format!(
                    "There are no Workers. Deploy one: npx wrangler deploy --dispatch-namespace {namespace}"
                ),
            });
        }
        output.table(table)
    })?;
    Ok(Exit::Success)
}

fn in_namespace(namespace: Namespace, mut items: Json) -> Json {
    json!({
        "environment": namespace.short_name(),
        "namespace": namespace.name(),
        "items": items.get_mut("items").map(Json::take),
    })
}

/// The environment, or those that the caller may read something in.
fn namespaces(chosen: Option<Namespace>, client: &Client) -> Result<Vec<Namespace>, Failure> {
    if let Some(namespace) = chosen {
        return Ok(vec![namespace]);
    }
    let readable: Namespaces = client.get("/v1/namespaces")?.value;
    let names = readable
        .items
        .iter()
        .filter_map(|item| Namespace::from_name(&item.name));
    Ok(names.collect())
}

/// What needs attention of a Worker, in few words.
fn state(worker: &ListedWorker, now: Timestamp) -> Value {
    let mut words = Vec::new();
    let mut tone = Tone::Good;
    match worker.health.result {
        HealthResult::Failed => {
            words.push("unhealthy".to_owned());
            tone = Tone::Bad;
        }
        HealthResult::Pending => words.push("health check pending".to_owned()),
        HealthResult::Unproven => words.push("unproven".to_owned()),
        HealthResult::Passed => words.push("healthy".to_owned()),
        HealthResult::None => {}
    }
    if let Some(drift) = &worker.drift {
        words.push(format!("drift: {}", drift.kind.name()));
        tone = Tone::Bad;
    }
    if worker.lock.is_some() {
        words.push("locked".to_owned());
        tone = if tone == Tone::Bad { tone } else { Tone::Warning };
    }
    if let Some(preview) = &worker.preview {
        words.push(format!("preview, {}", times::expiry(preview.expires, now)));
        tone = if words.len() == 1 { Tone::Plain } else { tone };
    }
    if words.is_empty() {
        return Tone::Dim.of("-");
    }
    tone.of(words.join(", "))
}

/// Shows one Worker in each environment that the caller may read.
pub fn show(arguments: &WorkerArguments, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let path = format!("/v1/workers/{}", arguments.name);
    let answer = progress::during("reading the Worker", || client.get::<Everywhere>(&path))?;
    let is_deployed = answer
        .value
        .environments
        .iter()
        .any(|found| found.worker.is_some());
    session.output.either(&answer.json, |output| {
        for (index, found) in answer.value.environments.iter().enumerate() {
            if index > 0 {
                output.line("")?;
            }
            output.table(in_environment(found))?;
        }
        Ok(())
    })?;
    if is_deployed {
        return Ok(Exit::Success);
    }
    Err(Failure::refused(
        format!(
            "{} is not deployed in an environment that you may read",
            arguments.name
        ),
        format!(
            "Type `dotdo workers` to list the Workers, or `dotdo deployments {}` for its history.",
            arguments.name
        ),
    ))
}

fn in_environment(found: &InEnvironment) -> Table {
    let mut table = Table::properties();
    let text = |text: String| Value::from(text);
    table.property(
        "environment",
        text(format!("{} ({})", found.environment, found.namespace)),
    );
    let Some(worker) = &found.worker else {
        table.property("state", Tone::Dim.of("not deployed"));
        return table;
    };
    let now = Timestamp::now();
    let listed = &worker.listed;
    table.property("URL", text(listed.urls.join(" ")));
    table.property("state", state(listed, now));
    table.property(
        "preview of",
        listed.preview.as_ref().map(|preview| text(previewed(preview))),
    );
    table.property(
        "health",
        listed.health.detail.clone().map(|detail| Tone::Bad.of(detail)),
    );
    table.property(
        "deployment",
        listed.deployment.as_ref().map(|id| text(id.to_string())),
    );
    if let Some(last) = &listed.last_deployment {
        let commit = commit(&last.identity);
        let by = [who(&last.identity), commit].join(" ");
        let ago = times::ago(last.created, now);
        table.property(
            "deployed",
            text(format!("{ago} by {} ({})", by.trim(), last.action.name())),
        );
        table.property("message", last.message.clone().map(text));
        table.property("tag", last.tag.clone().map(text));
    }
    if let Some(lock) = &listed.lock {
        let until = lock.until.map_or_else(
            || "until it is unlocked".to_owned(),
            |until| format!("until {until:.0}"),
        );
        table.property(
            "lock",
            Tone::Warning.of(format!("{} by {} {until}", lock.why, lock.by)),
        );
    }
    if let Some(drift) = &listed.drift {
        let since = times::ago(drift.since, now);
        table.property(
            "drift",
            Tone::Bad.of(format!("{} Found {since}.", drift.explanation)),
        );
    }
    let check = worker.health_check.as_ref();
    table.property(
        "health check",
        check.map(|check| text(format!("{} must answer {}", check.path, check.expect))),
    );
    table.property(
        "tags",
        (!listed.tags.is_empty()).then(|| text(listed.tags.join(", "))),
    );
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Terminal;

    #[test]
    fn a_worker_that_is_not_deployed_is_shown_as_such() {
        let found = InEnvironment {
            environment: "staging".into(),
            namespace: "dotdo-staging".into(),
            worker: None,
        };
        assert_eq!(
            in_environment(&found).text(Terminal::new(Some(80), false)),
            "environment  staging (dotdo-staging)\nstate        not deployed\n"
        );
    }
}
