//! `dotdo doctor`: one line for each check, with the fix.

mod platform;
mod wrangler;

use std::env;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::{Table, Tone};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Warning,
    Failed,
}

/// One line.
#[derive(Debug, Serialize)]
struct Line {
    check: &'static str,
    outcome: Outcome,
    detail: String,
    /// What to do; empty if nothing is wrong.
    fix: String,
}

impl Line {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Outcome::Ok, detail, "")
    }

    fn warning(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Outcome::Warning, detail, fix)
    }

    fn failed(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Outcome::Failed, detail, fix)
    }

    fn of(check: &'static str, failure: &Failure) -> Self {
        let json = failure.json();
        let fix = json.get("fix").and_then(Json::as_str).unwrap_or_default();
        Self::failed(check, failure.to_string(), fix)
    }

    fn new(check: &'static str, outcome: Outcome, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            outcome,
            detail: detail.into(),
            fix: fix.into(),
        }
    }
}

/// Makes every check. The exit code is 1 if one failed, and 3 if the deploy API cannot be reached.
pub fn run(session: &Session) -> Result<Exit, Failure> {
    let mut exit = Exit::Success;
    let mut checks = Vec::new();
    let folder = env::current_dir().unwrap_or_default();
    let found = credentials::find();
    match &found {
        Ok(credentials) => {
            checks.push(Line::ok(
                "credentials",
                format!("{}, from {}", credentials.api, credentials.source),
            ));
            let client = Client::new(credentials);
            progress::during("checking the platform", || {
                platform::check(&client, &mut checks, &mut exit);
            });
        }
        Err(failure) => checks.push(Line::of("credentials", failure)),
    }
    checks.extend(wrangler::check(&folder, found.as_ref().ok()));
    if exit == Exit::Success && checks.iter().any(|check| check.outcome == Outcome::Failed) {
        exit = Exit::Refused;
    }
    session.output.either(&json!({ "checks": checks }), |output| {
        let mut table = Table::new(&["check", "", "detail", "fix"]);
        for check in &checks {
            let (word, tone) = match check.outcome {
                Outcome::Ok => ("ok", Tone::Good),
                Outcome::Warning => ("warning", Tone::Warning),
                Outcome::Failed => ("failed", Tone::Bad),
            };
            table.row([
                check.check.into(),
                tone.of(word),
                check.detail.as_str().into(),
                check.fix.as_str().into(),
            ]);
        }
        output.table(table)
    })?;
    Ok(exit)
}
