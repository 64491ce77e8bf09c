//! `npm run lint:workflows`: actionlint over the workflows of this repository and over those in its documentation.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{python_tools, workspace};

/// The folder of the workflows.
const WORKFLOWS: &str = ".github/workflows";

/// How workflows refer to what this repository publishes, by a tag of its releases.
const PUBLISHED: &str = "drivly/dispatch.do/";

/// The folders with the actions and the workflows that it publishes, and how actionlint finds their inputs.
const OWN: [(&str, &str); 2] = [
    ("drivly/dispatch.do/actions/", "./actions/"),
    ("drivly/dispatch.do/.github/", "./.github/"),
];

/// The first lines of YAML in the documentation that is for another CI.
const OTHER_CI: [&str; 2] = ["# .gitlab-ci.yml", "# .buildkite/pipeline.yml"];

/// Checks every workflow.
///
/// # Errors
/// When a workflow has a problem, which the output of actionlint names, or an action is not pinned.
pub fn lint() -> Result<()> {
    let actionlint = python_tools::program("actionlint", "xtask/actionlint-requirements.txt")?;
    let mut has_problems = false;
    for file in workflow_files()? {
        let text = fs::read_to_string(&file)?;
        let name = file.display().to_string();
        for line in unpinned(&text) {
            eprintln!("{name}: {line}: write the commit of the action, and its version as a comment");
            has_problems = true;
        }
        has_problems |= !passes(&actionlint, &name, &with_local_paths(&text))?;
    }
    let mut count = 0;
    for document in documents()? {
        for (line, text) in workflows_in(&fs::read_to_string(&document)?) {
            // The lines of the messages are those of the document.
            let padded = format!("{}{}", "\n".repeat(line - 1), with_local_paths(&text));
            has_problems |= !passes(&actionlint, &document.display().to_string(), &padded)?;
            count += 1;
        }
    }
    ensure!(count > 0, "the documentation has no workflow");
    if has_problems {
        bail!("a workflow has problems");
    }
    Ok(())
}

/// Whether actionlint finds no problem in a workflow.
fn passes(actionlint: &Path, name: &str, text: &str) -> Result<bool> {
    // Programs that may or may not be installed are not used, so that the result is the same everywhere.
    let mut child = Command::new(actionlint)
        .current_dir(workspace::root())
        .args(["-shellcheck=", "-pyflakes=", "-stdin-filename", name, "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start actionlint")?;
    let mut input = child.stdin.take().context("actionlint has no standard input")?;
    input.write_all(text.as_bytes())?;
    drop(input);
    Ok(child.wait()?.success())
}

fn workflow_files() -> Result<Vec<PathBuf>> {
    files(&workspace::path(WORKFLOWS), "yml")
}

fn documents() -> Result<Vec<PathBuf>> {
    let mut found = files(&workspace::path("docs"), "md")?;
    found.push(workspace::path("README.md"));
    Ok(found)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The GitHub workflows in a document, with the number of their first line.
fn workflows_in(document: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = (1..).zip(document.lines());
    while let Some((number, line)) = lines.next() {
        if line != "```yaml" {
            continue;
        }
        let content: Vec<_> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .collect();
        if !content.first().is_some_and(|first| OTHER_CI.contains(first)) {
            found.push((number + 1, content.join("\n")));
        }
    }
    found
}

/// The workflow with the actions and workflows of this repository by their paths, which have no version.
fn with_local_paths(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let Some((published, local)) = OWN.iter().find(|(published, _)| line.contains(published)) else {
            return line.to_owned();
        };
        let line = line.replace(published, local);
        line.split_once('@')
            .map_or(line.clone(), |(action, _)| action.to_owned())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines that use an action of another repository without a commit and the version in a comment.
fn unpinned(workflow: &str) -> Vec<&str> {
    let uses = workflow.lines().map(str::trim).filter_map(|line| {
        let action = line.trim_start_matches("- ").strip_prefix("uses: ")?;
        Some((line, action))
    });
    // A commit of this repository cannot name itself: the release moves the tag to the actions of the same commit.
    let is_own = |action: &str| action.starts_with("./") || action.starts_with(PUBLISHED);
    uses.filter(|(_, action)| !is_own(action) && !is_pinned(action))
        .map(|(line, _)| line)
        .collect()
}

fn is_pinned(action: &str) -> bool {
    const COMMIT: usize = 40;
    let Some((_, version)) = action.split_once('@') else {
        return false;
    };
    let Some((commit, comment)) = version.split_once(" # v") else {
        return false;
    };
    commit.len() == COMMIT
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        && comment.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_without_a_commit_or_a_version_is_found() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let workflow = format!(
            "steps:\n  - uses: a/b@{commit} # v1.2.3\n  - uses: ./actions/login\n  - uses: drivly/dispatch.do/actions/login@v1\n  - name: x\n    uses: a/b@v1\n  \
             - uses: a/b@{commit}\n  - uses: a/b@{commit}0 # v1\n  - uses: a/b\n"
        );
        assert_eq!(
            unpinned(&workflow),
            [
                "uses: a/b@v1".to_owned(),
                format!("- uses: a/b@{commit}"),
                format!("- uses: a/b@{commit}0 # v1"),
                "- uses: a/b".to_owned(),
            ]
        );
    }

    #[test]
    fn the_workflows_of_a_document_are_found_with_their_lines() {
        let document =
            "text\n```yaml\non: push\njobs: {}\n```\n```yaml\n# .gitlab-ci.yml\na: 1\n```\n```sh\nls\n```\n";
        assert_eq!(workflows_in(document), [(3, "on: push\njobs: {}".to_owned())]);
    }

    #[test]
    fn actions_and_workflows_of_this_repository_are_found_by_their_paths() {
        assert_eq!(
            with_local_paths(
                "  - uses: drivly/dispatch.do/actions/login@v1\n  - uses: a/b@v1\n    uses: drivly/dispatch.do/.github/workflows/w.yml@v1"
            ),
            "  - uses: ./actions/login\n  - uses: a/b@v1\n    uses: ./.github/workflows/w.yml"
        );
    }
}
