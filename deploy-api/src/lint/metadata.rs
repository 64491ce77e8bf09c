use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::code::Code;
use crate::deployments::Warning;
use crate::problem::Problem;
use crate::target::Target;
use crate::upload::Metadata;

/// What a lint found in an upload that is not refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is questionable.
    pub warnings: Vec<Warning>,
    /// Bindings that lead to other Workers, of which it must be asked where those are.
    pub services: Vec<ServiceBinding>,
}

/// A binding that leads to another Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceBinding {
    /// The binding, as the configuration names it.
    pub binding: String,
    /// The Worker that it leads to, which must be one of the account.
    pub service: String,
}

/// Why an upload is refused, and which binding it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The refusal.
    pub problem: Problem,
    /// The binding's name.
    pub binding: Option<String>,
}

impl Refusal {
    /// A refusal of the upload as a whole.
    #[must_use]
    pub fn new(problem: Problem) -> Box<Self> {
        Box::new(Self {
            problem,
            binding: None,
        })
    }

    #[allow(
        clippy::unnecessary_box_returns,
        reason = "an error is to be small; natively it is too large for the lint"
    )]
    fn of_binding(binding: &str, problem: Problem) -> Box<Self> {
        Box::new(Self {
            problem,
            binding: Some(binding.to_owned()),
        })
    }
}

/// Looks through the metadata of an upload for what is known to go wrong in a namespace. `now` tells today's date, in
/// UTC.
///
/// # Errors
/// The first thing that would surely go wrong, with the fix.
pub fn metadata(metadata: &Metadata, target: &Target, now: Timestamp) -> Result<Findings, Box<Refusal>> {
    triggers(metadata)?;
    let mut findings = Findings::default();
    if let Some(date) = metadata.text("compatibility_date") {
        let today = now.to_zoned_datetime(TimeZone::UTC).date();
        findings.warnings.extend(compatibility_date(date, today)?);
    }
    for binding in metadata.bindings() {
        let to = match binding.kind {
            "service" => binding.text("service"),
            // A Durable Object of another script; one with a dispatch namespace beside it is found there.
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
        if let Some(service) = to {
            findings.services.push(ServiceBinding {
                binding: binding.name.to_owned(),
                service: service.to_owned(),
            });
        }
    }
    findings
        .services
        .extend(metadata.tail_consumers().map(|service| ServiceBinding {
            binding: "tail_consumers".to_owned(),
            service: service.to_owned(),
        }));
    Ok(findings)
}

/// Members of a metadata that would attach a Worker to something which a namespace does not attach.
const TRIGGERS: [(&str, &str); 6] = [
    ("routes", "its routes"),
    ("route", "its route"),
    ("triggers", "its cron triggers"),
    ("crons", "its cron triggers"),
    ("schedules", "its cron triggers"),
    ("queue_consumers", "its queue consumers"),
];

fn triggers(metadata: &Metadata) -> Result<(), Box<Refusal>> {
    match TRIGGERS.iter().find(|(key, _)| metadata.has(key)) {
        None => Ok(()),
        Some((key, what)) => Err(Refusal::new(Problem::new(
            Code::TriggerDropped,
            format!(
                "A Worker in a namespace never gets {what}: the namespace would drop \"{key}\" without a word."
            ),
            "Remove it. Hosts and paths come from the dispatch Worker's rules (docs/routing.md); a cron or a queue \
             consumer needs a Worker of the account, which can call this one through the dispatcher.",
        ))),
    }
}

#[allow(
    clippy::unnecessary_box_returns,
    reason = "an error is to be small; natively it is too large for the lint"
)]
fn dropped_workflow(binding: &str) -> Box<Refusal> {
    let detail = format!(
        "The binding \"{binding}\" is to a workflow of this Worker, and a Worker in a namespace has none."
    );
    let fix =
        "Define the workflow in a Worker of the account, and name that one as the binding's `script_name`.";
    Refusal::of_binding(binding, Problem::new(Code::TriggerDropped, detail, fix))
}

/// What handlers a script exports that nothing in a namespace ever calls.
#[must_use]
pub fn idle_handlers<'a>(handlers: impl IntoIterator<Item = &'a str>) -> Option<Warning> {
    let idle: Vec<&str> = handlers
        .into_iter()
        .filter(|handler| matches!(*handler, "scheduled" | "queue" | "email"))
        .collect();
    (!idle.is_empty()).then(|| Warning {
        code: Code::TriggerDropped.name().to_owned(),
        message: format!(
            "The Worker handles {}, which nothing calls in a namespace: crons, queue consumers and mail routes of the \
             configuration are dropped.",
            idle.join(" and ")
        ),
    })
}

fn compatibility_date(text: &str, today: Date) -> Result<Option<Warning>, Box<Refusal>> {
    let invalid =
        |detail: String, fix: String| Refusal::new(Problem::new(Code::CompatibilityDateInvalid, detail, fix));
    let shown: String = text.chars().filter(char::is_ascii_graphic).take(30).collect();
    let date = Date::strptime("%Y-%m-%d", text).map_err(|_| {
        invalid(
            format!("The compatibility date \"{shown}\" is no date."),
            format!("Write `compatibility_date` as a day, such as \"{today}\"."),
        )
    })?;
    if date > today {
        return Err(invalid(
            format!("The compatibility date {date} lies in the future; today is {today} (UTC)."),
            format!("Set `compatibility_date` to \"{today}\" or earlier."),
        ));
    }
    let year_ago = today.saturating_sub(jiff::Span::new().years(1));
    Ok((date < year_ago).then(|| Warning {
        code: Code::CompatibilityDateOld.name().to_owned(),
        message: format!(
            "The compatibility date {date} is older than a year; read what changed since, and set `compatibility_date` \
             to \"{today}\"."
        ),
    }))
}

/// Why an upload with a service binding that leads nowhere is refused.
#[must_use]
pub fn unreachable_service(service: &ServiceBinding) -> Box<Refusal> {
    let ServiceBinding { binding, service } = service;
    let shown: String = service.chars().filter(char::is_ascii_graphic).take(80).collect();
    Refusal::of_binding(
        binding,
        Problem::new(
            Code::ServiceBindingUnreachable,
            format!(
                "The binding \"{binding}\" leads to \"{shown}\", which exists only inside a namespace. Service bindings \
                 reach only Workers of the account."
            ),
            format!(
                "Remove the binding and call the Worker by its host, such as https://{shown}.do, or bind to a Worker of \
                 the account."
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use dotdo_names::{Environment, WorkerName};
    use serde_json::{Value, json};

    use super::*;

    fn lint(value: &Value) -> Result<Findings, Box<Refusal>> {
        let target = Target {
            environment: Environment::Production,
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
    fn a_compatibility_date_in_the_future_is_refused_and_an_old_one_warned_of() {
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
            ("2026-13-01", "no date"),
            ("today", "no date"),
            ("", "no date"),
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
    fn triggers_that_a_namespace_drops_are_refused() {
        for key in ["routes", "triggers", "crons", "queue_consumers"] {
            let refusal = lint(&json!({ key: ["x"] })).unwrap_err();
            assert_eq!(refusal.problem.code, Code::TriggerDropped);
            assert!(refusal.problem.detail.contains(key));
            assert!(
                lint(&json!({ key: [] })).is_ok(),
                "an empty list asks for nothing"
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
    fn bindings_to_other_workers_are_found_whatever_their_kind() {
        let findings = lint(&json!({
            "bindings": [
                { "type": "service", "name": "AUTH", "service": "auth" },
                { "type": "durable_object_namespace", "name": "OWN", "class_name": "Room" },
                { "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room", "script_name": "rooms" },
                { "type": "plain_text", "name": "MODE", "text": "auth" }
            ],
            "tail_consumers": [{ "service": "log" }]
        }))
        .unwrap();
        let found: Vec<_> = findings
            .services
            .iter()
            .map(|found| (found.binding.as_str(), found.service.as_str()))
            .collect();
        assert_eq!(
            found,
            [("AUTH", "auth"), ("ROOM", "rooms"), ("tail_consumers", "log")]
        );
    }
}
