//! What `dotdo ci check` shows: the uses, what was changed, what remains, and the secrets to delete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use super::uses::Kind;
use super::{Workflow, fix};
use crate::failure::Failure;
use crate::output::Output;

/// What is shown of all workflows.
#[derive(Default, Serialize)]
pub struct Report {
    /// Every use.
    pub uses: Vec<ShownUse>,
    /// The files that were changed.
    pub fixed: Vec<PathBuf>,
    /// What a person must do, because it was not changed.
    pub remaining: Vec<String>,
    /// What a person must check.
    notes: Vec<String>,
    /// The secrets that are no longer needed, once nothing remains.
    secrets: Vec<Secret>,
}

/// A use in a workflow.
#[derive(Serialize)]
pub struct ShownUse {
    file: PathBuf,
    line: usize,
    place: String,
    secrets: BTreeSet<String>,
    fix: &'static str,
}

/// A secret that a workflow uses.
#[derive(Serialize)]
pub struct Secret {
    name: String,
    /// The GitHub environments of the jobs that use it, where it may be defined.
    environments: BTreeSet<String>,
}

impl Report {
    /// Adds the uses of a workflow.
    pub fn add(&mut self, workflow: &Workflow) {
        let mut secrets: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for found in &workflow.uses {
            let jobs = workflow.root.get("jobs");
            let environment = found
                .job
                .as_deref()
                .and_then(|job| jobs?.get(job)?.get("environment"));
            // An environment is a name, or a mapping with a name and a URL.
            let environment = environment.map(|node| node.get("name").unwrap_or(node).text());
            // The value of an expression is not known here.
            let environment = environment
                .filter(|name| !name.contains("${{"))
                .map(str::to_owned);
            for secret in &found.secrets {
                secrets.entry(secret).or_default().extend(environment.clone());
            }
            self.uses.push(ShownUse {
                file: workflow.file.clone(),
                line: found.line,
                place: found.place.clone(),
                secrets: found.secrets.clone(),
                fix: explanation(found.kind),
            });
        }
        for (name, environments) in secrets {
            match self.secrets.iter_mut().find(|secret| secret.name == name) {
                Some(secret) => secret.environments.extend(environments),
                None => self.secrets.push(Secret {
                    name: name.to_owned(),
                    environments,
                }),
            }
        }
        if !workflow.uses.is_empty()
            && workflow.text.contains("deploy")
            && !workflow.text.contains("--dispatch-namespace")
        {
            self.notes.push(format!(
                "{}: no command has --dispatch-namespace: deploy with `wrangler deploy --dispatch-namespace dotdo-production`.",
                workflow.file.display()
            ));
        }
    }

    /// Changes a workflow.
    ///
    /// # Errors
    /// If the new text would not be YAML, or cannot be written.
    pub fn fix(&mut self, workflow: &Workflow, api: &str) -> Result<(), Failure> {
        let file = workflow.file.display();
        if workflow.is_action {
            self.remaining.push(format!("{file}: {BY_HAND_IN_ACTION}."));
            return Ok(());
        }
        let fixed = fix::fix(&workflow.text, &workflow.root, api).map_err(|error| {
            Failure::refused(
                format!("{file} was not changed, because the new text would not be YAML: {error}"),
                "Change the workflow yourself.",
            )
        })?;
        self.remaining
            .extend(fixed.remaining.iter().map(|reason| format!("{file}: {reason}.")));
        if fixed.text != workflow.text {
            fs::write(&workflow.file, &fixed.text).map_err(|error| {
                Failure::usage(format!("{file} cannot be written: {error}"), "Make it writable.")
            })?;
            self.fixed.push(workflow.file.clone());
        }
        Ok(())
    }
}

/// What a person must do with an action of the repository.
const BY_HAND_IN_ACTION: &str = "an action cannot get the permission for the login: remove the credential and its input, and add the \
                                 step of `actions/login` before each step that uses the action";

/// What replaces a use.
fn explanation(kind: Kind) -> &'static str {
    match kind {
        Kind::Remove => {
            "Remove it. The step `uses: drivly/dispatch.do/actions/login@v1` sets the variables of wrangler."
        }
        Kind::Token => {
            "Add the step `uses: drivly/dispatch.do/actions/login@v1` before this one, and write `${{ env.CLOUDFLARE_API_TOKEN }}` here."
        }
        Kind::Account => "Write `${{ env.CLOUDFLARE_ACCOUNT_ID }}`, which the step of `actions/login` sets.",
        Kind::ByHand => "Use the variable CLOUDFLARE_API_TOKEN, which the step of `actions/login` sets.",
    }
}

/// Writes a report for people.
///
/// # Errors
/// If the output is closed.
pub fn show(report: &Report, fix: bool, output: &Output) -> Result<(), Failure> {
    if report.uses.is_empty() {
        return output.line("No workflow uses a credential of Cloudflare.");
    }
    for found in &report.uses {
        output.line(format!(
            "{}:{}: {}",
            found.file.display(),
            found.line,
            found.place
        ))?;
        if !fix {
            output.line(format!("  {}", found.fix))?;
        }
    }
    for file in &report.fixed {
        output.line(format!("Changed {}.", file.display()))?;
    }
    for line in report.remaining.iter().chain(&report.notes) {
        output.line(line)?;
    }
    if !fix {
        output.line("Each job that logs in needs `permissions: { id-token: write }`. `dotdo ci check --fix` changes the workflows.")?;
    }
    if report.secrets.is_empty() {
        return Ok(());
    }
    output.line(
        "\nWhen every workflow has deployed without them, delete the secrets that nothing else uses:",
    )?;
    for Secret { name, environments } in &report.secrets {
        output.line(format!("  gh secret delete {name}"))?;
        for environment in environments {
            output.line(format!("  gh secret delete {name} --env {}", quoted(environment)))?;
        }
    }
    Ok(())
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::read;
    use super::*;

    #[test]
    fn a_repository_is_fixed_and_its_secrets_are_listed_with_their_environments() {
        let folder = TempDir::new().unwrap();
        let workflows = folder.path().join(".github/workflows");
        fs::create_dir_all(&workflows).unwrap();
        let job = "on: push\njobs:\n  a:\n    runs-on: x\n    environment: { name: production, url: https://agents.do }\n    steps:\n      \
                   - run: npx wrangler deploy\n        env:\n          CLOUDFLARE_API_TOKEN: ${{ secrets.TOKEN }}\n";
        fs::write(workflows.join("a.yml"), job).unwrap();
        fs::write(
            workflows.join("b.yaml"),
            job.replace(
                "environment: { name: production, url: https://agents.do }",
                "environment: staging",
            ),
        )
        .unwrap();
        fs::write(workflows.join("other.yml"), "on: push\njobs: {}\n").unwrap();

        let mut report = Report::default();
        for workflow in read(folder.path()).unwrap() {
            report.add(&workflow);
            report.fix(&workflow, "https://deploy.example.com").unwrap();
        }
        assert_eq!(report.uses.len(), 2);
        assert_eq!(report.fixed, [workflows.join("a.yml"), workflows.join("b.yaml")]);
        assert_eq!(report.notes.len(), 2, "no command has --dispatch-namespace");
        let [secret] = report.secrets.as_slice() else {
            panic!("another number of secrets than one")
        };
        assert_eq!(secret.name, "TOKEN");
        assert_eq!(
            secret.environments,
            BTreeSet::from(["production".to_owned(), "staging".to_owned()])
        );
        assert!(
            read(folder.path())
                .unwrap()
                .iter()
                .all(|workflow| workflow.uses.is_empty())
        );
        assert_eq!(
            fs::read_to_string(workflows.join("other.yml")).unwrap(),
            "on: push\njobs: {}\n"
        );
    }

    #[test]
    fn names_in_commands_are_quoted_and_expressions_are_left_out() {
        assert_eq!(quoted("preview/pr-12"), "preview/pr-12");
        assert_eq!(quoted("it's $(x)"), r"'it'\''s $(x)'");
        let folder = TempDir::new().unwrap();
        let workflows = folder.path().join(".github/workflows");
        fs::create_dir_all(&workflows).unwrap();
        let job = "on: push\njobs:\n  a:\n    environment: ${{ inputs.to }}\n    env:\n      CF_API_TOKEN: ${{ secrets.T }}\n";
        fs::write(workflows.join("a.yml"), job).unwrap();
        let mut report = Report::default();
        report.add(&read(folder.path()).unwrap()[0]);
        assert!(report.secrets[0].environments.is_empty());
    }

    #[test]
    fn a_file_that_is_not_yaml_is_named() {
        let folder = TempDir::new().unwrap();
        let workflows = folder.path().join(".github/workflows");
        assert!(read(folder.path()).is_err_and(|error| error.text().contains("workflows")));
        fs::create_dir_all(&workflows).unwrap();
        for text in ["a: [", "a: 1\n---\nb: 2\n", ""] {
            fs::write(workflows.join("bad.yml"), text).unwrap();
            assert!(
                read(folder.path()).is_err_and(|error| error.text().contains("bad.yml")),
                "{text}"
            );
        }
    }
}
