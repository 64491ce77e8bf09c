//! `dotdo status`.

use deploy_api::v1::types::{NamespaceStatus, Preview, Status};
use jiff::Timestamp;

use crate::client::Answer;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::{Table, Tone, Value};
use crate::times;

/// Shows each namespace, what needs attention, and the previews.
pub fn status(session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    let answer: Answer<Status> = progress::during("reading the status", || client.get("/v1/status"))?;
    session.output.either(&answer.json, |output| {
        let namespaces = &answer.value.namespaces;
        output.table(summary(namespaces))?;
        let now = Timestamp::now();
        let attention = attention(namespaces, now);
        if attention.is_empty() {
            output.line("\nNothing needs attention.")?;
        } else {
            output.line("")?;
            output.table(attention)?;
        }
        let previews = previews(namespaces, now);
        if previews.is_empty() {
            return Ok(());
        }
        output.line("")?;
        output.table(previews)
    })?;
    Ok(Exit::Success)
}

fn summary(namespaces: &[NamespaceStatus]) -> Table {
    let columns = [
        "environment",
        "Workers",
        "unhealthy",
        "locks",
        "drift",
        "open",
        "deployed in 24 h",
        "failed",
    ];
    let mut table = Table::new(&columns);
    for namespace in namespaces {
        let last_day = namespace.last_day;
        let failed = last_day.failed + last_day.rolled_back;
        table.row([
            namespace.environment.as_ref().into(),
            namespace.workers.to_string().into(),
            number(namespace.unhealthy.len(), Tone::Bad),
            number(namespace.locks.len(), Tone::Warning),
            number(namespace.drifts.len(), Tone::Bad),
            number(namespace.open_intents.len(), Tone::Warning),
            last_day.succeeded.to_string().into(),
            number(usize::try_from(failed).unwrap_or(usize::MAX), Tone::Warning),
        ]);
    }
    table
}

/// A number, in a tone unless it is 0.
fn number(number: usize, tone: Tone) -> Value {
    let tone = if number == 0 { Tone::Dim } else { tone };
    tone.of(number.to_string())
}

/// A line for each health check that failed, lock, drift and open change, with the command that helps.
fn attention(namespaces: &[NamespaceStatus], now: Timestamp) -> Table {
    let mut table = Table::new(&["what", "Worker", "details", "next"]);
    for namespace in namespaces {
        let env = namespace.environment.as_ref();
        for unhealthy in &namespace.unhealthy {
            let detail = unhealthy.health.detail.clone().unwrap_or_default();
            let worker = &unhealthy.worker;
            table.row([
                Tone::Bad.of("unhealthy"),
                place(worker, env),
                detail.into(),
                format!("dotdo rollback {worker} --env {env}").into(),
            ]);
        }
        for drift in &namespace.drifts {
            let since = times::ago(drift.drift.since, now);
            table.row([
                Tone::Bad.of(format!("drift: {}", drift.drift.kind.name())),
                place(&drift.worker, env),
                format!("{} Found {since}.", drift.drift.explanation).into(),
                format!("dotdo worker {}", drift.worker).into(),
            ]);
        }
        for lock in &namespace.locks {
            let (name, unlock) = match &lock.worker {
                Some(worker) => (worker.as_str(), format!("dotdo unlock {worker} --env {env}")),
                None => ("all", format!("dotdo unlock --all --env {env}")),
            };
            table.row([
                Tone::Warning.of("locked"),
                place(name, env),
                format!("{}: {}", lock.by, lock.why).into(),
                unlock.into(),
            ]);
        }
        for open in &namespace.open_intents {
            table.row([
                Tone::Warning.of("open"),
                place(&open.worker, env),
                format!(
                    "{}, last active {}",
                    open.action.name(),
                    times::ago(open.renewed, now)
                )
                .into(),
                format!("dotdo deployments {} --env {env}", open.worker).into(),
            ]);
        }
    }
    table
}

/// A line for each preview.
fn previews(namespaces: &[NamespaceStatus], now: Timestamp) -> Table {
    let mut table = Table::new(&["preview", "of", "expires"]);
    for found in namespaces.iter().flat_map(|namespace| &namespace.previews) {
        table.row([
            found.worker.as_str().into(),
            previewed(&found.preview).into(),
            times::ago(found.preview.expires, now).into(),
        ]);
    }
    table
}

/// What a preview shows: `agents, pull request 12`.
#[must_use]
pub fn previewed(preview: &Preview) -> String {
    match preview.pull_request {
        Some(number) => format!("{}, pull request {number}", preview.of),
        None => format!("a deployment of {}", preview.of),
    }
}

fn place(worker: &str, environment: &str) -> Value {
    format!("{worker} in {environment}").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::terminal::Terminal;

    fn namespaces() -> Vec<NamespaceStatus> {
        serde_json::from_value(json!([{
            "environment": "production", "namespace": "dotdo-production", "workers": 3,
            "unhealthy": [{
                "worker": "agents", "deployment": "0199f000-0000-7000-8000-000000000001",
                "health": { "result": "failed", "time": null, "detail": "GET /health: 500", "proof": null },
            }],
            "locks": [{
                "namespace": "dotdo-production", "by": "alice", "why": "audit week", "since": "2026-11-24T12:00:00Z",
            }],
            "drifts": [{ "worker": "mail", "drift": {
                "kind": "deleted", "explanation": "It was deleted.", "since": "2026-11-24T12:00:00Z", "found": null,
            } }],
            "last_day": { "succeeded": 7, "failed": 1, "rolled_back": 1, "pending": 0 },
            "open_intents": [{
                "intent": 9, "worker": "agents", "verb": "deploy", "state": "held", "renewed": "2026-11-24T12:59:00Z",
            }],
            "previews": [{ "worker": "agents-pr-12", "preview": {
                "of": "agents", "pull_request": 12, "expires": "2026-12-08T12:59:00Z",
            } }, { "worker": "agents-at-9f1c2d3e4b5a", "preview": {
                "of": "agents", "pull_request": null, "expires": "2026-11-24T13:30:00Z",
            } }],
        }]))
        .unwrap()
    }

    #[test]
    fn everything_that_needs_attention_has_the_command_that_helps() {
        let now = "2026-11-24T13:00:00Z".parse().unwrap();
        let text = attention(&namespaces(), now).text(Terminal::new(None, false));
        for expected in [
            "unhealthy      agents in production  GET /health: 500",
            "dotdo rollback agents --env production",
            "drift: deleted  mail in production",
            "Found 1 h ago.",
            "dotdo unlock --all --env production",
            "deploy, last active 1 min ago",
        ] {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words(&text).contains(&words(expected)), "{expected}: {text}");
        }
        let text = previews(&namespaces(), now).text(Terminal::new(None, false));
        assert_eq!(
            text.lines().skip(1).collect::<Vec<_>>(),
            [
                "agents-pr-12            agents, pull request 12  in 13 d",
                "agents-at-9f1c2d3e4b5a  a deployment of agents   in 30 min",
            ]
        );
        for width in [80, 120] {
            let terminal = Terminal::new(Some(width), false);
            for text in [
                attention(&namespaces(), now).text(terminal),
                summary(&namespaces()).text(terminal),
            ] {
                assert!(
                    text.lines()
                        .all(|line| line.chars().count() <= usize::from(width)),
                    "{text}"
                );
            }
        }
    }
}
