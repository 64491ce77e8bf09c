//! The step of `actions/login` in a job that deploys.

use super::document::Node;
use super::text::{Edit, Source};
use super::uses::{Use, is_wrangler_action};

/// The action, by which a job that logs in already is recognized.
const LOGIN: &str = "drivly/dispatch.do/actions/login@v1";

/// Why no step is added to a job that uses a credential.
pub const NO_DEPLOY: &str = "no step deploys: add the step of `actions/login` before the one that does";

/// The first step that deploys.
pub fn step_of_deploy(job: &Node) -> Option<&Node> {
    job.get("steps")?.elements().iter().find(|step| {
        let script = step.get("run").map(Node::text).unwrap_or_default();
        is_wrangler_action(step) || script.contains("wrangler") || script.contains("deploy")
    })
}

/// Adds the step before the first one that needs the token, with the comments above that. `None` if the job logs in already.
///
/// # Errors
/// Why a person must add it.
pub fn login_step(source: Source<'_>, job: &Node, uses: &[&Use], api: &str) -> Result<Option<Edit>, String> {
    let steps = job.get("steps").map(Node::elements).unwrap_or_default();
    let is_login = |step: &Node| {
        let uses = step.get("uses").map(Node::text).unwrap_or_default();
        uses.split('@').next() == LOGIN.split('@').next()
    };
    if steps.iter().any(is_login) {
        return Ok(None);
    }
    let has_use = |step: &&Node| {
        let mut found = false;
        step.each_text(&mut |value| found |= uses.iter().any(|other| other.value == value.range));
        found
    };
    let step = steps.iter().find(has_use).or_else(|| step_of_deploy(job));
    let step = step.ok_or(NO_DEPLOY)?;
    let mut start = source.line_start(step.range.start);
    let line = source.slice(start..source.line_end(start));
    let indentation = line.len() - line.trim_start().len();
    if !line.trim_start().starts_with("- ") {
        return Err(
            "its steps are not one on each line: add the step of `actions/login` yourself".to_owned(),
        );
    }
    while start > 0 {
        let above = source.line_start(start - 1);
        if !source.slice(above..start).trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    let indentation = " ".repeat(indentation);
    let end = source.line_break();
    Ok(Some(Edit {
        range: start..start,
        text: format!("{indentation}- uses: {LOGIN}{end}{indentation}  with: {{ api: {api} }}{end}"),
    }))
}
