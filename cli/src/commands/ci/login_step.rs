//! The step of `actions/login` in a job that deploys.

use super::document::Node;
use super::text::{Edit, Source};
use super::uses::{Use, is_wrangler_action};

/// The action without its version, by which a job that logs in already is recognized.
pub const ACTION: &str = "drivly/dispatch.do/actions/login";

/// The version of the action that is added.
const VERSION: &str = "v1";

/// Why no step is added to a job that uses a credential.
pub const NO_DEPLOY: &str = "no step deploys: add the step of `actions/login` before the one that does";

/// The first step that deploys.
pub fn step_of_deploy(job: &Node) -> Option<&Node> {
    let steps = job.get("steps")?.elements();
    steps.iter().find(|step| {
        let script = step.get("run").map(Node::text).unwrap_or_default();
        is_wrangler_action(step) || script.lines().any(deploys)
    })
}

/// Whether a line of a script deploys: it has the word `deploy`, as in `npm run deploy:staging`, or runs wrangler. Scripts of packages that
/// are installed must not see the token.
fn deploys(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    let is_installation = line
        .split_whitespace()
        .any(|word| matches!(word, "i" | "ci" | "add" | "install"));
    words.any(|word| word == "deploy" || (word == "wrangler" && !is_installation))
}

/// Adds the step before the first one that needs the token, with the comments above that. `None` if the job logs in before it already.
///
/// # Errors
/// Why a person must add it.
pub fn login_step(source: Source<'_>, job: &Node, uses: &[&Use], api: &str) -> Result<Option<Edit>, String> {
    let steps = job.get("steps").map(Node::elements).unwrap_or_default();
    let is_login = |step: &Node| {
        let uses = step.get("uses").map(Node::text).unwrap_or_default();
        uses.split('@')
            .next()
            .is_some_and(|action| action.eq_ignore_ascii_case(ACTION))
    };
    let has_use = |step: &&Node| {
        let mut found = false;
        step.each_text(&mut |_, value| found |= uses.iter().any(|other| other.value == value.range));
        found
    };
    let step = steps.iter().find(has_use).or_else(|| step_of_deploy(job));
    if let Some(login) = steps.iter().find(|step| is_login(step)) {
        return match step {
            Some(step) if step.range.start < login.range.start => {
                Err("its step of `actions/login` comes after one that needs the token: move it up".to_owned())
            }
            _ => Ok(None),
        };
    }
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
        text: format!(
            "{indentation}- uses: {ACTION}@{VERSION}{end}{indentation}  with: {{ api: {api} }}{end}"
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::document::parse;
    use super::super::fix::fix;
    use super::deploys;

    #[test]
    fn a_script_that_installs_or_speaks_of_deployments_does_not_deploy() {
        for line in [
            "npx wrangler versions upload",
            "npm run deploy:staging",
            "./deploy.sh",
            "make deploy",
            "npm i -g wrangler && wrangler deploy",
        ] {
            assert!(deploys(line), "{line}");
        }
        for line in [
            "npm i -g wrangler@4",
            "yarn add wrangler",
            "echo deployment",
            "npm run redeploy",
        ] {
            assert!(!deploys(line), "{line}");
        }
    }

    #[test]
    fn a_login_after_the_deploy_is_left_for_a_person() {
        let text = "on: push\njobs:\n  a:\n    steps:\n      - run: wrangler deploy\n        env:\n          CF_API_TOKEN: x\n      - uses: \
                    Drivly/dispatch.do/actions/login@v1\n";
        let fixed = fix(text, &parse(text).unwrap(), "https://deploy.example.com").unwrap();
        assert_eq!(fixed.text, text);
        assert!(fixed.remaining[0].contains("move it up"), "{:?}", fixed.remaining);
    }
}
