use dotdo_names::LOGS_WORKER;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::code::Code;
use crate::deployments::Warning;
use crate::problem::Problem;
use crate::target::Target;
use crate::upload::{Metadata, is_of_platform, platform_worker};

/// The result of the checks of an upload that is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The warnings.
    pub warnings: Vec<Warning>,
    /// References to other Workers, except for service bindings. The caller must check that these Workers exist in the account.
    pub references: Vec<ServiceBinding>,
}

/// A reference to another Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceBinding {
    /// The name of the binding in the configuration, or of the member of the metadata.
    pub binding: String,
    /// The other Worker.
    pub service: String,
}

/// Why an upload is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The problem.
    pub problem: Problem,
    /// The name of the binding that causes it, if one does.
    pub binding: Option<String>,
}

impl Refusal {
    /// Makes a refusal that does not refer to a binding.
    #[must_use]
    pub fn new(problem: Problem) -> Box<Self> {
        Box::new(Self {
            problem,
            binding: None,
        })
    }

    #[allow(
        clippy::unnecessary_box_returns,
        reason = "the error must be small; on native targets it exceeds the limit of the lint"
    )]
    fn of_binding(binding: &str, problem: Problem) -> Box<Self> {
        Box::new(Self {
            problem,
            binding: Some(binding.to_owned()),
        })
    }
}

/// Checks the metadata of an upload to a namespace. `now` determines the current date in UTC.
///
/// # Errors
/// Returns the first configuration that cannot work, with the fix.
pub fn metadata(metadata: &Metadata, target: &Target, now: Timestamp) -> Result<Findings, Box<Refusal>> {
    triggers(metadata)?;
    containers(metadata)?;
    let mut findings = Findings::default();
    findings.warnings.extend(compatibility(metadata, now)?);
    platform_workers(metadata)?;
    for binding in metadata.bindings() {
        let service = match binding.kind {
            // A Durable Object of another script. With `dispatch_namespace`, the script is in that namespace.
            "durable_object_namespace" if binding.text("dispatch_namespace").is_none() => binding
                .text("script_name")
                .filter(|script| *script != target.worker.as_str()),
            "workflow" => {
                let script = binding
                    .text("script_name")
                    .filter(|script| *script != target.worker.as_str());
                if script.is_none() {
                    return Err(dropped_workflow(binding.name));
                }
                script
            }
            _ => None,
        };
        if let Some(service) = service {
            findings.references.push(ServiceBinding {
                binding: binding.name.to_owned(),
                service: service.to_owned(),
            });
        }
    }
    findings
        .references
        .extend(metadata.tail_consumers().map(|(member, service)| ServiceBinding {
            binding: member.to_owned(),
            service: service.to_owned(),
        }));
    Ok(findings)
}

/// Checks the compatibility date of an upload, and returns the warnings. `now` determines the current date in UTC.
///
/// # Errors
/// Returns why the date cannot work.
pub fn compatibility(metadata: &Metadata, now: Timestamp) -> Result<Vec<Warning>, Box<Refusal>> {
    let Some(date) = metadata.text("compatibility_date") else {
        return Ok(Vec::new());
    };
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    Ok(compatibility_date(date, today)?.into_iter().collect())
}

/// Checks that an upload does not refer to the Workers of the platform. Only this API sets the props of the dispatch Worker's
/// `NamespaceService`.
///
/// # Errors
/// `PLATFORM_WORKER_BOUND`.
pub fn platform_workers(metadata: &Metadata) -> Result<(), Box<Refusal>> {
    let bound = metadata.binding_values().iter().find_map(|binding| {
        let name = binding.get("name").and_then(Value::as_str)?;
        Some((name, platform_worker(binding)?))
    });
    let tailed = metadata.tail_consumers().find_map(|(member, service)| {
        Some((
            member,
            is_of_platform(service).filter(|worker| *worker != LOGS_WORKER)?,
        ))
    });
    let Some((binding, worker)) = bound.or(tailed) else {
        return Ok(());
    };
    Err(Refusal::of_binding(
        binding,
        Problem::new(
            Code::PlatformWorkerBound,
            format!(
                "The binding \"{binding}\" refers to \"{worker}\", a Worker of the platform. A user Worker cannot be bound to it or \
                 to its entrypoints."
            ),
            "Remove the binding. To call another Worker of the same namespace, bind to it by its name: \
             { \"binding\": \"NAME\", \"service\": \"other-worker\" }.",
        ),
    ))
}

/// Members of the metadata that configure triggers. Workers in a namespace cannot have them.
const TRIGGERS: [(&str, &str); 6] = [
    ("routes", "routes"),
    ("route", "routes"),
    ("triggers", "cron triggers"),
    ("crons", "cron triggers"),
    ("schedules", "cron triggers"),
    ("queue_consumers", "queue consumers"),
];

fn triggers(metadata: &Metadata) -> Result<(), Box<Refusal>> {
    match TRIGGERS.iter().find(|(key, _)| metadata.has(key)) {
        None => Ok(()),
        Some((key, what)) => Err(Refusal::new(Problem::new(
            Code::TriggerDropped,
            format!(
                "A Worker in a namespace cannot have {what}: Cloudflare would ignore \"{key}\" without an error."
            ),
            "Remove it. The rules of the dispatch Worker determine hosts and paths (docs/routing.md). For a cron trigger \
             or a queue consumer, use a Worker of the account that calls this one through the dispatch Worker.",
        ))),
    }
}

/// wrangler makes the images and the applications of containers with calls about the account, which this API does not have.
fn containers(metadata: &Metadata) -> Result<(), Box<Refusal>> {
    if !metadata.has("containers") {
        return Ok(());
    }
    Err(Refusal::new(Problem::new(
        Code::ContainersUnsupported,
        "A Worker in a namespace cannot have containers.",
        "Remove `containers` from the wrangler configuration. A Worker of the account can have them, and a service binding of \
         this Worker can refer to it.",
    )))
}

#[allow(
    clippy::unnecessary_box_returns,
    reason = "the error must be small; on native targets it exceeds the limit of the lint"
)]
fn dropped_workflow(binding: &str) -> Box<Refusal> {
    let detail = format!(
        "The binding \"{binding}\" refers to a workflow of this Worker, but a Worker in a namespace cannot have workflows."
    );
    let fix = "Define the workflow in a Worker of the account, and set the `script_name` of the binding to that Worker.";
    Refusal::of_binding(binding, Problem::new(Code::TriggerDropped, detail, fix))
}

/// A warning about exported handlers that are never called in a namespace. `None` if there are none.
#[must_use]
pub fn idle_handlers<'a>(handlers: impl IntoIterator<Item = &'a str>) -> Option<Warning> {
    let idle: Vec<&str> = handlers
        .into_iter()
        .filter(|handler| matches!(*handler, "scheduled" | "queue" | "email"))
        .collect();
    (!idle.is_empty()).then(|| Warning {
        code: Code::TriggerDropped.name().to_owned(),
        message: format!(
            "The Worker exports the handlers {}, which are never called in a namespace: cron triggers, queue consumers and \
             email routes are ignored.",
            idle.join(" and ")
        ),
    })
}

fn compatibility_date(text: &str, today: Date) -> Result<Option<Warning>, Box<Refusal>> {
    let invalid =
        |detail: String, fix: String| Refusal::new(Problem::new(Code::CompatibilityDateInvalid, detail, fix));
    let printable: String = text.chars().filter(char::is_ascii_graphic).take(30).collect();
    let date = Date::strptime("%Y-%m-%d", text).map_err(|_| {
        invalid(
            format!("The compatibility date \"{printable}\" is not a date."),
            format!("Set `compatibility_date` to a date such as \"{today}\"."),
        )
    })?;
    if date > today {
        return Err(invalid(
            format!("The compatibility date {date} is in the future; today is {today} (UTC)."),
            format!("Set `compatibility_date` to \"{today}\" or earlier."),
        ));
    }
    let year_ago = today.saturating_sub(jiff::Span::new().years(1));
    Ok((date < year_ago).then(|| Warning {
        code: Code::CompatibilityDateOld.name().to_owned(),
        message: format!(
            "The compatibility date {date} is more than a year old; read the changes since then, and set \
             `compatibility_date` to \"{today}\"."
        ),
    }))
}

/// The refusal of a service binding to a Worker of the same namespace with a member that only Workers of the account support.
#[must_use]
pub fn only_for_the_account(binding: &str, member: &str, worker: &str) -> Box<Refusal> {
    let member: String = member.chars().filter(char::is_ascii_graphic).take(40).collect();
    let reason = match member.as_str() {
        "environment" => "The environment of the other Worker is the one of the deploy",
        _ => "A dispatch namespace returns only the default entrypoint of a Worker, without props",
    };
    Refusal::of_binding(
        binding,
        Problem::new(
            Code::ServiceBindingUnreachable,
            format!(
                "The service binding \"{binding}\" to \"{worker}\", a Worker of the same namespace, has \"{member}\". {reason}."
            ),
            format!(
                "Remove \"{member}\" from the service binding. A Worker reaches its own named entrypoints through `ctx.exports`; of \
                 another Worker, call methods of its default export."
            ),
        ),
    )
}

/// The refusal of an upload with a reference to a Worker that does not exist in the account.
#[must_use]
pub fn unreachable_service(service: &ServiceBinding) -> Box<Refusal> {
    let ServiceBinding { binding, service } = service;
    let printable: String = service.chars().filter(char::is_ascii_graphic).take(80).collect();
    Refusal::of_binding(
        binding,
        Problem::new(
            Code::ServiceBindingUnreachable,
            format!(
                "The binding \"{binding}\" refers to \"{printable}\", which exists only in a namespace. Durable Objects, workflows \
                 and tail consumers can only be those of a Worker of the account."
            ),
            format!(
                "Remove the binding. A service binding reaches the Worker, and so does a request to its host, such as \
                 https://{printable}.do."
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use dotdo_names::{Environment, WorkerName};
    use serde_json::json;

    use super::*;

    fn lint(value: &Value) -> Result<Findings, Box<Refusal>> {
        let target = Target {
            namespace: Environment::Production.into(),
            worker: WorkerName::parse("agents").unwrap(),
        };
        let now = "2026-11-24T23:30:00Z".parse().unwrap();
        super::metadata(
            &Metadata::parse(value.to_string().as_bytes()).unwrap(),
            &target,
            now,
        )
    }

    #[test]
    fn a_compatibility_date_in_the_future_is_rejected_and_an_old_one_causes_a_warning() {
        for good in ["2026-11-24", "2025-11-24"] {
            assert_eq!(
                lint(&json!({ "compatibility_date": good })),
                Ok(Findings::default())
            );
        }
        let old = lint(&json!({ "compatibility_date": "2025-11-23" })).unwrap();
        assert_eq!(old.warnings[0].code, "COMPATIBILITY_DATE_OLD");
        for (bad, what) in [
            ("2026-11-25", "future"),
            ("2026-13-01", "not a date"),
            ("today", "not a date"),
            ("", "not a date"),
        ] {
            let refusal = lint(&json!({ "compatibility_date": bad })).unwrap_err();
            assert_eq!(refusal.problem.code, Code::CompatibilityDateInvalid);
            assert!(
                refusal.problem.detail.contains(what),
                "{}",
                refusal.problem.detail
            );
            assert!(refusal.problem.fix.contains("2026-11-24"));
        }
    }

    #[test]
    fn containers_are_rejected() {
        let refusal = lint(&json!({ "containers": [{ "class_name": "Box" }] })).unwrap_err();
        assert_eq!(refusal.problem.code, Code::ContainersUnsupported);
        assert!(lint(&json!({ "containers": [] })).is_ok());
    }

    #[test]
    fn triggers_are_rejected() {
        for key in ["routes", "triggers", "crons", "queue_consumers"] {
            let refusal = lint(&json!({ key: ["x"] })).unwrap_err();
            assert_eq!(refusal.problem.code, Code::TriggerDropped);
            assert!(refusal.problem.detail.contains(key));
            assert!(
                lint(&json!({ key: [] })).is_ok(),
                "an empty list configures nothing"
            );
        }
        let workflow = json!({"type": "workflow", "name": "FLOW", "workflow_name": "f", "class_name": "F"});
        let refusal = lint(&json!({ "bindings": [workflow] })).unwrap_err();
        assert_eq!(refusal.binding.as_deref(), Some("FLOW"));
        assert_eq!(
            idle_handlers(["fetch", "scheduled"]).unwrap().code,
            "TRIGGER_DROPPED"
        );
        assert_eq!(idle_handlers(["fetch"]), None);
    }

    #[test]
    fn references_to_the_workers_of_the_platform_are_rejected() {
        for (metadata, binding) in [
            (
                json!({ "bindings": [{ "type": "service", "name": "D", "service": "dispatcher", "entrypoint": "NamespaceService",
                "props": { "environment": "production", "worker": "auth" } }] }),
                "D",
            ),
            (
                json!({ "bindings": [{ "type": "service", "name": "A", "service": "deploy-api" }] }),
                "A",
            ),
            (
                json!({ "tail_consumers": [{ "service": "deploy-api" }] }),
                "tail_consumers",
            ),
        ] {
            let refusal = lint(&metadata).unwrap_err();
            assert_eq!(refusal.problem.code, Code::PlatformWorkerBound);
            assert_eq!(refusal.binding.as_deref(), Some(binding));
        }
        assert!(lint(&json!({ "tail_consumers": [{ "service": "logs" }] })).is_ok());
    }

    #[test]
    fn references_to_other_workers_are_found() {
        let findings = lint(&json!({
            "bindings": [
                { "type": "service", "name": "AUTH", "service": "auth" },
                { "type": "durable_object_namespace", "name": "OWN", "class_name": "Room" },
                { "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room", "script_name": "rooms" },
                { "type": "plain_text", "name": "MODE", "text": "auth" }
            ],
            "tail_consumers": [{ "service": "log" }],
            "streaming_tail_consumers": [{ "service": "stream" }]
        }))
        .unwrap();
        let found: Vec<_> = findings
            .references
            .iter()
            .map(|found| (found.binding.as_str(), found.service.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("ROOM", "rooms"),
                ("tail_consumers", "log"),
                ("streaming_tail_consumers", "stream")
            ]
        );
    }
}
