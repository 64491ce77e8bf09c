//! What `dotdo ci check` shows: the uses, what was changed, what remains, and the secrets to delete.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::document::Node;
use super::login_step::ACTION;
use super::permissions::permission;
use super::secrets::{Secret, all_secrets};
use super::text::Source;
use super::uses::Kind;
use super::{Workflow, fix};
use crate::failure::Failure;
use crate::output::Output;
use crate::replaced_file::{Access, replace};

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
    pub notes: Vec<String>,
    /// The secrets that no workflow needs any more, once nothing remains.
    pub secrets: Vec<Secret>,
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

impl Report {
    /// Adds the uses of a workflow.
    pub fn add(&mut self, workflow: &Workflow) {
        for found in &workflow.uses {
            self.uses.push(ShownUse {
                file: workflow.file.clone(),
                line: found.line,
                place: found.place.clone(),
                secrets: found.secrets.clone(),
                fix: explanation(found.kind),
            });
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

    /// Changes a workflow, or adds to [`Report::remaining`] why it is not changed.
    pub fn fix(&mut self, workflow: &mut Workflow, api: &str) {
        let file = workflow.file.display().to_string();
        let reasons = match changed(workflow, api) {
            Ok(fixed) => {
                if fixed.is_written {
                    self.fixed.push(workflow.file.clone());
                }
                let notes = fixed.notes.iter();
                self.notes.extend(notes.map(|note| format!("{file}: {note}.")));
                fixed.remaining
            }
            Err(reason) => vec![reason],
        };
        self.remaining
            .extend(reasons.iter().map(|reason| format!("{file}: {reason}.")));
    }

    /// Notes that a workflow reads secrets whose names are not known here.
    pub fn add_computed_secrets(&mut self, workflow: &Workflow) {
        let jobs = workflow.root.get("jobs").map(Node::entries).unwrap_or_default();
        let inherits = jobs.iter().any(|(_, job)| {
            let called = job.get("uses").map(Node::text).unwrap_or_default();
            let passes_all = job
                .get("secrets")
                .is_some_and(|secrets| secrets.text() == "inherit");
            passes_all && !called.starts_with("./")
        });
        if inherits || all_secrets(workflow).are_computed {
            self.notes.push(format!(
                "{}: it reads secrets by computed names, or passes all of them: check which ones before you delete a secret.",
                workflow.file.display()
            ));
        }
    }

    /// Adds the jobs that call a workflow which logs in, and do not give it the permission.
    pub fn add_callers(&mut self, workflows: &[Workflow]) {
        for (caller, job, called) in calls(workflows) {
            let logs_in = !called.uses.is_empty() || called.text.contains(ACTION);
            let needs =
                permission(Source(&caller.text), &caller.root, &job.1).map_or(true, |edit| edit.is_some());
            if logs_in && needs {
                self.remaining.push(format!(
                    "{}: jobs.{}: it calls {}, whose login needs a permission: add `permissions: {{ contents: read, id-token: write }}` to this job.",
                    caller.file.display(),
                    job.0.text(),
                    called.file.display()
                ));
            }
        }
    }
}

/// How a workflow was changed.
struct Changed {
    is_written: bool,
    remaining: Vec<String>,
    notes: Vec<String>,
}

/// Writes the changed text of a workflow.
///
/// # Errors
/// Why it is not changed.
fn changed(workflow: &mut Workflow, api: &str) -> Result<Changed, String> {
    if workflow.is_action {
        return Err(BY_HAND_IN_ACTION.to_owned());
    }
    if workflow.is_outside {
        return Err("it is a link to a file outside of the repository: change that file yourself".to_owned());
    }
    let fixed = fix::fix(&workflow.text, &workflow.root, api).map_err(|error| {
        format!("it was not changed, because the new text would not be YAML: {error}: change it yourself")
    })?;
    let mut is_written = false;
    if fixed.text != workflow.text {
        let unwritable = |error: &dyn Display| format!("it cannot be written: {error}");
        let metadata = fs::metadata(&workflow.file).map_err(|error| unwritable(&error))?;
        if metadata.permissions().readonly() {
            return Err(unwritable(&"it is read-only"));
        }
        replace(&workflow.file, Access::Kept, |file| {
            file.write_all(fixed.text.as_bytes())
        })
        .map_err(|error| unwritable(&error))?;
        workflow.set_text(fixed.text)?;
        is_written = true;
    }
    Ok(Changed {
        is_written,
        remaining: fixed.remaining,
        notes: fixed.notes,
    })
}

/// The jobs that call a workflow of the repository, with their names, and that workflow.
fn calls(workflows: &[Workflow]) -> impl Iterator<Item = (&Workflow, &(Node, Node), &Workflow)> {
    workflows.iter().flat_map(move |caller| {
        let jobs = caller.root.get("jobs").map(Node::entries).unwrap_or_default();
        jobs.iter().filter_map(move |job| {
            let name = job.1.get("uses")?.text().strip_prefix("./.github/workflows/")?;
            let called = workflows.iter().find(|workflow| {
                !workflow.is_action && workflow.file.file_name().is_some_and(|file| file == name)
            })?;
            Some((caller, job, called))
        })
    })
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
        output.line("No workflow uses a credential of Cloudflare.")?;
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
    if !fix && !report.uses.is_empty() {
        output.line("Each job that logs in needs `permissions: { id-token: write }`. `dotdo ci check --fix` changes the workflows.")?;
    }
    if report.secrets.is_empty() {
        return Ok(());
    }
    output.line("\nWhen every workflow has deployed without them, delete the secrets that no workflow here uses any more:")?;
    for secret in &report.secrets {
        for command in secret.commands() {
            output.line(format!("  {command}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::TempDir;

    use super::super::{read, report_of};
    use super::*;

    /// The report of a repository, and the workflows after the change.
    fn fixed(repository: &Path) -> (Report, Vec<Workflow>) {
        let mut workflows = read(repository).unwrap();
        let report = report_of(&mut workflows, Some("https://deploy.example.com"));
        (report, workflows)
    }

    /// A repository with these workflows.
    fn repository(workflows: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        let of_workflows = folder.path().join(".github/workflows");
        fs::create_dir_all(&of_workflows).unwrap();
        for (name, text) in workflows {
            fs::write(of_workflows.join(name), text).unwrap();
        }
        folder
    }

    /// A workflow with one job that deploys, with these lines in it.
    fn deploying(lines: &str) -> String {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n{lines}    steps:\n      - run: wrangler deploy\n        env:\n          \
             CLOUDFLARE_API_TOKEN: ${{{{ secrets.TOKEN }}}}\n"
        )
    }

    fn commands(report: &Report) -> Vec<String> {
        report.secrets.iter().flat_map(Secret::commands).collect()
    }

    #[test]
    fn a_repository_is_fixed_and_its_secrets_are_listed_with_their_environments() {
        let folder = repository(&[
            (
                "a.yml",
                &deploying("    environment: { name: it's $(x), url: https://agents.do }\n"),
            ),
            ("b.yaml", &deploying("    environment: preview/pr-12\n")),
            ("c.yml", &deploying("    environment: ${{ inputs.to }}\n")),
            ("other.yml", "on: push\njobs: {}\n"),
        ]);
        let (report, _) = fixed(folder.path());
        assert_eq!(report.uses.len(), 3);
        let names: Vec<_> = report.fixed.iter().filter_map(|file| file.file_name()).collect();
        assert_eq!(names, ["a.yml", "b.yaml", "c.yml"]);
        assert_eq!(report.notes.len(), 3, "no command has --dispatch-namespace");
        assert_eq!(
            commands(&report),
            [
                "gh secret delete TOKEN",
                r"gh secret delete TOKEN --env 'it'\''s $(x)'",
                "gh secret delete TOKEN --env preview/pr-12"
            ]
        );
        let (again, workflows) = fixed(folder.path());
        assert_eq!((again.uses.len(), again.fixed.len()), (0, 0));
        assert_eq!(workflows[3].text, "on: push\njobs: {}\n");
    }

    #[test]
    fn a_secret_that_a_workflow_still_uses_is_not_listed() {
        let other = "on: push\njobs:\n  a:\n    steps:\n      - run: x\n        env: { T: \"${{ secrets.token }}\" }\n";
        let folder = repository(&[("a.yml", &deploying("")), ("b.yml", other)]);
        let workflows = &mut read(folder.path()).unwrap();
        assert_eq!(commands(&report_of(workflows, None)), [""; 0]);
        assert_eq!(commands(&fixed(folder.path()).0), [""; 0]);

        // A script is left for a person, so that the secret is still used after the change.
        let script = "on: push\njobs:\n  a:\n    steps:\n      - run: CF_API_TOKEN=${{ secrets.TOKEN }} wrangler deploy\n";
        let folder = repository(&[("a.yml", &deploying("")), ("b.yml", script)]);
        let workflows = &mut read(folder.path()).unwrap();
        assert_eq!(commands(&report_of(workflows, None)), ["gh secret delete TOKEN"]);
        let (report, _) = fixed(folder.path());
        assert_eq!((report.remaining.len(), commands(&report)), (1, vec![]));
    }

    #[test]
    fn secrets_of_a_caller_or_with_computed_names_are_not_listed() {
        let called = deploying("").replace(
            "on: push",
            "on: { workflow_call: { secrets: { token: { required: true } } } }",
        );
        let computed = deploying("").replace("secrets.TOKEN", "secrets[matrix.token]");
        let calling = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n    secrets: { token: \"${{ secrets.CF_T }}\" }\n  b:\n    \
                      uses: org/repo/.github/workflows/x.yml@main\n    secrets: inherit\n";
        let folder = repository(&[
            ("called.yml", &called),
            ("computed.yml", &computed),
            ("caller.yml", calling),
        ]);
        let workflows = &mut read(folder.path()).unwrap();
        let report = report_of(workflows, None);
        assert_eq!(commands(&report), ["gh secret delete CF_T"]);
        let notes = report
            .notes
            .iter()
            .filter(|note| note.contains("computed names"))
            .count();
        assert_eq!(notes, 2, "{:?}", report.notes);

        let (report, _) = fixed(folder.path());
        let [_, permission] = report.remaining.as_slice() else {
            panic!("{:?}", report.remaining)
        };
        assert!(
            permission.contains("jobs.a: it calls") && permission.contains("id-token: write"),
            "{permission}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_changed_is_named_and_the_others_are_changed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = repository(&[
            ("anchor.yml", &deploying("").replace("env:", "env: &e")),
            ("z.yml", &deploying("")),
            ("read-only.yml", &deploying("")),
        ]);
        let workflows = folder.path().join(".github/workflows");
        let path = |name: &str| workflows.join(name);
        let anchored = fs::read_to_string(path("anchor.yml")).unwrap();
        let anchored = format!("{anchored}  b:\n    steps:\n      - run: wrangler deploy\n        env: *e\n");
        fs::write(path("anchor.yml"), &anchored).unwrap();
        fs::set_permissions(path("read-only.yml"), fs::Permissions::from_mode(0o444)).unwrap();
        let elsewhere = repository(&[("link.yml", &deploying(""))]);
        let outside = elsewhere.path().join(".github/workflows/link.yml");
        symlink(&outside, path("link.yml")).unwrap();
        fs::create_dir(path("folder.yml")).unwrap();

        let (report, _) = fixed(folder.path());
        assert_eq!(report.fixed, [path("z.yml")]);
        let reasons = [
            "anchor.yml: it was not changed",
            "link.yml: it is a link",
            "read-only.yml: it cannot be written",
        ];
        assert_eq!(report.remaining.len(), reasons.len(), "{:?}", report.remaining);
        for (found, reason) in report.remaining.iter().zip(reasons) {
            assert!(found.contains(reason), "{found}");
        }
        assert_eq!(fs::read_to_string(path("anchor.yml")).unwrap(), anchored);
        for file in [outside, path("read-only.yml")] {
            assert_eq!(fs::read_to_string(file).unwrap(), deploying(""));
        }
        let files = fs::read_dir(&workflows).unwrap().count();
        assert_eq!(files, 5, "no other file is left");
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
