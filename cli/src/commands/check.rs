//! `dotdo check`: a Worker's wrangler configuration against what a namespace supports, before the deploy.
//!
//! The deploy API makes the same checks of an upload, with the same code. But wrangler does not send crons, routes and queue consumers
//! for a Worker in a namespace, so only this command can find them.

use std::path::PathBuf;

use clap::Args;
use deploy_api::lint;
use deploy_api::target::Target;
use deploy_api::upload::Metadata;
use dotdo_names::{Environment, WorkerName};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::configuration;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table::{Table, Tone};

/// The arguments of `dotdo check`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"file\", \"findings\": [{\"level\", \"place\", \"code\", \"what\", \"fix\"}]}. The exit code is 1 if a level is `error`."
)]
pub struct CheckArguments {
    /// The folder of the Worker
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// Something in a configuration that a namespace does not support.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    /// The place in the configuration, such as `triggers.crons`.
    place: String,
    /// The code of the deploy API for it.
    code: String,
    what: String,
    fix: String,
}

/// What a finding means for a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    /// The deploy fails, or a part of the configuration has no effect.
    Error,
    /// It works only under a condition.
    Warning,
}

/// Lists what a namespace does not support.
pub fn run(arguments: &CheckArguments, session: &Session) -> Result<Exit, Failure> {
    let (file, value) = configuration::of(&arguments.folder)?;
    let findings = check(&value, Timestamp::now());
    let has_errors = findings.iter().any(|finding| finding.level == Level::Error);
    let json = json!({ "file": file, "findings": findings });
    session.output.either(&json, |output| {
        if findings.is_empty() {
            return output.line(format!(
                "{} has nothing that a namespace does not support.",
                file.display()
            ));
        }
        for finding in &findings {
            let mut table = Table::properties();
            let (word, tone) = match finding.level {
                Level::Error => ("error", Tone::Bad),
                Level::Warning => ("warning", Tone::Warning),
            };
            table.property(word, tone.of(format!("{}: {}", finding.place, finding.what)));
            table.property("fix", crate::table::Value::from(finding.fix.as_str()));
            output.table(table)?;
        }
        Ok(())
    })?;
    Ok(if has_errors { Exit::Refused } else { Exit::Success })
}

/// The checks of one configuration, or of one of its environments.
struct Checker {
    prefix: String,
    target: Target,
    now: Timestamp,
    findings: Vec<Finding>,
}

fn check(configuration: &Value, now: Timestamp) -> Vec<Finding> {
    let mut findings = section(
        configuration,
        "",
        configuration.get("name").and_then(Value::as_str),
        now,
    );
    for (name, environment) in members(configuration.get("env")) {
        // wrangler appends the name of the environment, unless the environment has another name.
        let derived = configuration
            .get("name")
            .and_then(Value::as_str)
            .map(|worker| format!("{worker}-{name}"));
        let own = environment.get("name").and_then(Value::as_str).map(str::to_owned);
        let worker = own.or(derived);
        findings.extend(section(
            environment,
            &format!("env.{name}."),
            worker.as_deref(),
            now,
        ));
    }
    findings
}

fn section(configuration: &Value, prefix: &str, worker: Option<&str>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = match worker.map(lint::routable) {
        Some(Ok(name)) => Some(name),
        Some(Err(problem)) => {
            findings.push(Finding {
                level: Level::Error,
                place: format!("{prefix}name"),
                code: problem.code.name().to_owned(),
                what: problem.detail,
                fix: problem.fix,
            });
            None
        }
        None => None,
    };
    let Some(worker) = name.or_else(|| WorkerName::parse("worker").ok()) else {
        return findings;
    };
    let mut checker = Checker {
        prefix: prefix.to_owned(),
        target: Target {
            environment: Environment::Production,
            worker,
        },
        now,
        findings,
    };
    checker.triggers(configuration);
    checker.references(configuration);
    checker.ids(configuration);
    checker.findings
}

impl Checker {
    fn triggers(&mut self, configuration: &Value) {
        for (place, member, value) in [
            ("route", "route", configuration.get("route")),
            ("routes", "routes", configuration.get("routes")),
            (
                "triggers.crons",
                "crons",
                configuration.pointer("/triggers/crons"),
            ),
            (
                "queues.consumers",
                "queue_consumers",
                configuration.pointer("/queues/consumers"),
            ),
            ("containers", "containers", configuration.get("containers")),
            (
                "compatibility_date",
                "compatibility_date",
                configuration.get("compatibility_date"),
            ),
        ] {
            if let Some(value) = value {
                self.lint(place, &json!({ member: value }));
            }
        }
    }

    fn references(&mut self, configuration: &Value) {
        for (index, workflow) in items(configuration.get("workflows")) {
            let mut binding = workflow.clone();
            binding.insert("type".to_owned(), json!("workflow"));
            rename(&mut binding, "binding");
            self.lint(&format!("workflows[{index}]"), &json!({ "bindings": [binding] }));
        }
        for (index, object) in items(configuration.pointer("/durable_objects/bindings")) {
            let mut binding = object.clone();
            binding.insert("type".to_owned(), json!("durable_object_namespace"));
            self.lint(
                &format!("durable_objects.bindings[{index}]"),
                &json!({ "bindings": [binding] }),
            );
        }
        for (index, service) in items(configuration.get("services")) {
            let place = format!("services[{index}]");
            let mut binding = service.clone();
            binding.insert("type".to_owned(), json!("service"));
            rename(&mut binding, "binding");
            self.lint(&place, &json!({ "bindings": [binding] }));
            self.service(&place, service);
        }
        if let Some(consumers) = configuration.get("tail_consumers") {
            self.lint("tail_consumers", &json!({ "tail_consumers": consumers }));
        }
    }

    /// A service binding to a Worker of the same namespace supports only the default entrypoint.
    fn service(&mut self, place: &str, service: &Map<String, Value>) {
        let text = |member: &str| service.get(member).and_then(Value::as_str);
        let (Some(binding), Some(worker)) = (text("binding"), text("service")) else {
            return;
        };
        for member in ["entrypoint", "environment", "props"] {
            if service.contains_key(member) {
                let refusal = lint::only_for_the_account(binding, member, worker);
                self.add(
                    Level::Warning,
                    &format!("{place}.{member}"),
                    refusal.problem.code.name(),
                    format!(
                        "Unless \"{worker}\" is a Worker of the account: {}",
                        refusal.problem.detail
                    ),
                    refusal.problem.fix,
                );
            }
        }
    }

    /// Bindings whose resource wrangler would have to create or to find by its title.
    fn ids(&mut self, configuration: &Value) {
        for (pointer, place, member, list) in [
            (
                "/kv_namespaces",
                "kv_namespaces",
                "id",
                "npx wrangler kv namespace list",
            ),
            (
                "/d1_databases",
                "d1_databases",
                "database_id",
                "npx wrangler d1 list",
            ),
            (
                "/r2_buckets",
                "r2_buckets",
                "bucket_name",
                "npx wrangler r2 bucket list",
            ),
            ("/hyperdrive", "hyperdrive", "id", "npx wrangler hyperdrive list"),
            (
                "/vectorize",
                "vectorize",
                "index_name",
                "npx wrangler vectorize list",
            ),
            (
                "/queues/producers",
                "queues.producers",
                "queue",
                "npx wrangler queues list",
            ),
        ] {
            for (index, binding) in items(configuration.pointer(pointer)) {
                let is_set = binding
                    .get(member)
                    .and_then(Value::as_str)
                    .is_some_and(|id| !id.is_empty());
                if is_set {
                    continue;
                }
                let name = binding
                    .get("binding")
                    .and_then(Value::as_str)
                    .unwrap_or("the binding");
                self.add(
                    Level::Warning,
                    &format!("{place}[{index}]"),
                    "RESOURCE_CHANGE_REFUSED",
                    format!(
                        "\"{name}\" has no \"{member}\". A deploy keeps the resource of the deployed Worker, but it cannot create one, \
                         so the first deploy fails unless wrangler finds one by its name."
                    ),
                    format!("Add \"{member}\"; `{list}` lists them, with your Cloudflare login."),
                );
            }
        }
    }

    /// Checks a part of the metadata that wrangler would send, as the deploy API does.
    fn lint(&mut self, place: &str, metadata: &Value) {
        let Ok(metadata) = Metadata::parse(metadata.to_string().as_bytes()) else {
            return;
        };
        match lint::metadata(&metadata, &self.target, self.now) {
            Err(refusal) => {
                let problem = refusal.problem;
                self.add(
                    Level::Error,
                    place,
                    problem.code.name(),
                    problem.detail,
                    problem.fix,
                );
            }
            Ok(findings) => {
                for warning in findings.warnings {
                    self.add(
                        Level::Warning,
                        place,
                        &warning.code,
                        warning.message,
                        String::new(),
                    );
                }
                for reference in findings.references {
                    let problem = lint::unreachable_service(&reference).problem;
                    self.add(
                        Level::Warning,
                        place,
                        problem.code.name(),
                        format!(
                            "\"{}\" must be a Worker of the account; a Worker that exists only in a namespace cannot be reached this way.",
                            reference.service
                        ),
                        problem.fix,
                    );
                }
            }
        }
    }

    fn add(&mut self, level: Level, place: &str, code: &str, what: String, fix: String) {
        self.findings.push(Finding {
            level,
            place: format!("{}{place}", self.prefix),
            code: code.to_owned(),
            what,
            fix,
        });
    }
}

/// A configuration names a binding by `binding`, and the metadata of an upload by `name`.
fn rename(binding: &mut Map<String, Value>, from: &str) {
    if let Some(name) = binding.remove(from) {
        binding.insert("name".to_owned(), name);
    }
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn items(value: Option<&Value>) -> impl Iterator<Item = (usize, &Map<String, Value>)> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items
        .enumerate()
        .filter_map(|(index, item)| Some((index, item.as_object()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(configuration: &Value) -> Vec<(Level, String, String)> {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let findings = check(configuration, now);
        for finding in &findings {
            assert!(!finding.what.is_empty(), "{finding:?}");
        }
        findings
            .into_iter()
            .map(|finding| (finding.level, finding.place, finding.code))
            .collect()
    }

    fn error(place: &str, code: &str) -> (Level, String, String) {
        (Level::Error, place.to_owned(), code.to_owned())
    }

    fn warning(place: &str, code: &str) -> (Level, String, String) {
        (Level::Warning, place.to_owned(), code.to_owned())
    }

    #[test]
    fn a_configuration_of_a_namespace_has_no_findings() {
        let good = json!({
            "name": "agents", "main": "index.js", "compatibility_date": "2026-11-01", "vars": { "A": "1" },
            "kv_namespaces": [{ "binding": "KV", "id": "0f" }],
            "services": [{ "binding": "AUTH", "service": "auth" }],
            "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }] },
            "routes": [], "triggers": { "crons": [] },
        });
        assert_eq!(places(&good), []);
    }

    #[test]
    fn what_wrangler_would_not_send_is_an_error() {
        let configuration = json!({
            "name": "agents", "route": "agents.do/*", "routes": ["agents.do/*"],
            "triggers": { "crons": ["* * * * *"] }, "queues": { "consumers": [{ "queue": "q" }] },
        });
        assert_eq!(
            places(&configuration),
            ["route", "routes", "triggers.crons", "queues.consumers"]
                .map(|place| error(place, "TRIGGER_DROPPED"))
        );
    }

    #[test]
    fn names_dates_and_targets_are_checked() {
        let configuration = json!({
            "name": "api-staging", "compatibility_date": "2027-01-01",
            "containers": [{ "class_name": "Box" }],
            "workflows": [{ "binding": "FLOW", "name": "f", "class_name": "F" }],
            "services": [
                { "binding": "D", "service": "dispatcher" },
                { "binding": "AUTH", "service": "auth", "entrypoint": "Admin" },
            ],
            "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room", "script_name": "rooms" }] },
            "tail_consumers": [{ "service": "log" }],
        });
        assert_eq!(
            places(&configuration),
            [
                error("name", "ENVIRONMENT_SUFFIX"),
                error("containers", "CONTAINERS_UNSUPPORTED"),
                error("compatibility_date", "COMPATIBILITY_DATE_INVALID"),
                error("workflows[0]", "TRIGGER_DROPPED"),
                warning("durable_objects.bindings[0]", "SERVICE_BINDING_UNREACHABLE"),
                error("services[0]", "PLATFORM_WORKER_BOUND"),
                warning("services[1].entrypoint", "SERVICE_BINDING_UNREACHABLE"),
                warning("tail_consumers", "SERVICE_BINDING_UNREACHABLE"),
            ]
        );
    }

    #[test]
    fn bindings_without_an_id_are_warnings() {
        let configuration = json!({
            "name": "agents",
            "kv_namespaces": [{ "binding": "KV" }],
            "d1_databases": [{ "binding": "DB", "database_name": "db" }],
            "r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }],
            "queues": { "producers": [{ "binding": "JOBS" }] },
        });
        assert_eq!(
            places(&configuration),
            ["kv_namespaces[0]", "d1_databases[0]", "queues.producers[0]"]
                .map(|place| warning(place, "RESOURCE_CHANGE_REFUSED"))
        );
    }

    #[test]
    fn environments_of_wrangler_are_checked_with_their_own_names() {
        let configuration = json!({
            "name": "api",
            "env": {
                "staging": { "routes": ["staging.api.do/*"] },
                "production": { "name": "api" },
            },
        });
        let mut found = places(&configuration);
        found.sort_by(|one, other| one.1.cmp(&other.1));
        assert_eq!(
            found,
            [
                error("env.staging.name", "ENVIRONMENT_SUFFIX"),
                error("env.staging.routes", "TRIGGER_DROPPED")
            ]
        );
    }
}
