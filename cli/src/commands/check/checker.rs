//! The checks of a configuration, and of each of its environments.

use deploy_api::lint;
use deploy_api::target::Target;
use deploy_api::upload::Metadata;
use dotdo_names::{Environment, WorkerName};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Finding, Level, resources};

/// The checks of one configuration, or of one of its environments.
struct Checker {
    prefix: String,
    target: Target,
    now: Timestamp,
    findings: Vec<Finding>,
}

/// Checks a configuration, with its environments.
pub fn check(configuration: &Value, now: Timestamp) -> Vec<Finding> {
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
            namespace: Environment::Production.into(),
            worker,
        },
        now,
        findings,
    };
    checker.triggers(configuration);
    checker.references(configuration);
    checker.resources(configuration);
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
    fn resources(&mut self, configuration: &Value) {
        for kind in resources::KINDS {
            for (index, binding) in items(configuration.pointer(kind.pointer)) {
                if let Some((what, fix)) = kind.problem(binding) {
                    let place = format!("{}[{index}]", kind.place());
                    self.add(Level::Warning, &place, "RESOURCE_CHANGE_REFUSED", what, fix);
                }
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
