//! `dotdo check`: a Worker's wrangler configuration against what a namespace supports, before the deploy.
//!
//! The deploy API makes the same checks of an upload, with the same code. But wrangler does not send crons, routes and queue consumers
//! for a Worker in a namespace, so only this command can find them.

mod checker;
mod resources;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::configuration;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table::{self, Table, Tone};

/// The arguments of `dotdo check`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"file\", \"name\", \"main\", \"findings\": [{\"level\", \"place\", \"code\", \"what\", \"fix\"}]}. The exit code is 1 if a level is `error`."
)]
pub struct CheckArguments {
    /// The folder of the Worker, or its configuration file
    #[arg(value_name = "DIR", default_value = ".")]
    path: PathBuf,
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
    let (file, value) = configuration::of(&arguments.path)?;
    let findings = checker::check(&value, Timestamp::now());
    let has_errors = findings.iter().any(|finding| finding.level == Level::Error);
    let text = |member: &str| value.get(member).and_then(Value::as_str);
    let json = json!({ "file": file, "name": text("name"), "main": text("main"), "findings": findings });
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
            table.property("fix", table::Value::from(finding.fix.as_str()));
            output.table(table)?;
        }
        Ok(())
    })?;
    Ok(if has_errors { Exit::Refused } else { Exit::Success })
}
