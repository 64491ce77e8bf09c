//! What people see of the changes.

use super::CutoverArguments;
use super::changes::Changes;
use super::leftovers::Leftovers;
use super::zone_routes::{Step, StepAction};
use crate::count::{agreeing, counted};
use crate::failure::Failure;
use crate::session::Session;
use crate::table::{Table, Tone, Value};

/// What a step did.
pub fn sentence(step: &Step) -> String {
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

/// The steps as a table, and the hosts that are not changed.
///
/// # Errors
/// If the output is closed.
pub fn changes(changes: &Changes, session: &Session) -> Result<(), Failure> {
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

/// Why the steps were only listed.
///
/// # Errors
/// If the output is closed.
pub fn nothing_made(is_dry_run: bool, session: &Session) -> Result<(), Failure> {
    session.output.line(if is_dry_run {
        "Nothing was changed."
    } else {
        "Nothing was changed: without a token of Cloudflare's API, the changes are only listed. Set CLOUDFLARE_API_TOKEN, or make them in the \
         dashboard in this order."
    })
}

/// What a person can do when every host is where it should be.
///
/// # Errors
/// If the output is closed.
pub fn end(arguments: &CutoverArguments, leftovers: &Leftovers, session: &Session) -> Result<(), Failure> {
    let output = &session.output;
    if arguments.undo {
        return output.line("Every host leads to its account Worker.");
    }
    let Leftovers {
        deletable,
        kept,
        unknown,
    } = leftovers;
    if !deletable.is_empty() || !kept.is_empty() {
        output.line(format!(
            "`dotdo migrate cutover {} --undo` leads the hosts back, as long as the account Workers exist.",
            arguments.plan.display()
        ))?;
    }
    if !deletable.is_empty() {
        output.line(format!(
            "\n{} can be deleted when nobody needs the way back and {} at workers.dev:",
            counted(deletable.len(), "account Worker", "account Workers"),
            agreeing(deletable.len(), "its address", "their addresses")
        ))?;
    }
    for item in deletable {
        output.line(format!("  {}", item.command))?;
        if let Some(before) = &item.before {
            output.line(format!("    {before}"))?;
        }
    }
    for item in kept {
        output.line(format!("  {} must stay: {}", item.worker, item.why))?;
    }
    if !deletable.is_empty() && !unknown.is_empty() {
        output.line(format!(
            "Look at these first, which were not known when the plan was made: {}.",
            unknown.join(", ")
        ))?;
    }
    Ok(())
}
