//! GitHub for the tests of workflows: an event starts a workflow of `docs/github-actions.md`, which runs as GitHub runs it, against a
//! stand-in for GitHub's API that refuses what differs from GitHub's description.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use end_to_end::{Finished, Project, shell::Shell};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    markdown::blocks,
    platforms::issuer,
    workflow::{PLACEHOLDER, origin},
};

/// The head of the pull request.
pub const HEAD: &str = "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901";

/// The repository of the base branch.
pub const REPOSITORY: &str = "drivly/agents";

/// A workflow of the document, by the comment in its first line.
fn documented(name: &str) -> Result<String> {
    let first = format!("# .github/workflows/{name}\n");
    let mut blocks = blocks("docs/github-actions.md")?.into_iter();
    let found = blocks.find(|block| block.text.starts_with(&first));
    Ok(found.with_context(|| format!("the document has no {name}"))?.text)
}

/// The event of pull request 12.
pub fn pull_request(action: &str, (name, id): (&str, u64)) -> Value {
    let head = json!({ "sha": HEAD, "repo": { "id": id, "full_name": name } });
    let state = if action == "closed" { "closed" } else { "open" };
    json!({ "action": action, "pull_request": { "number": 12, "state": state, "head": head } })
}

/// GitHub, with what it stores between the runs.
pub struct GitHub {
    folder: TempDir,
    pub shell: Shell,
    /// The id of the repository, by which the policy knows it.
    id: u64,
    pub stored: Value,
}

/// A run of a workflow.
pub struct Run {
    pub finished: Finished,
    /// The jobs that ran, with their permissions.
    pub jobs: Value,
    annotations: Value,
    /// The folder of the runner.
    pub files: PathBuf,
}

impl GitHub {
    pub fn new(id: u64) -> Result<Self> {
        let shell = Shell::new()?;
        shell.add(
            "gh",
            "#!/bin/bash\necho \"gh $*\" >> \"$(dirname \"$0\")/calls\"\n",
        )?;
        Ok(Self {
            folder: TempDir::with_prefix("dotdo-github-")?,
            shell,
            id,
            stored: Value::Null,
        })
    }

    /// Runs a workflow of the document for an event, in a checkout.
    pub async fn run(
        &mut self,
        workflow: &str,
        name: &str,
        event: &Value,
        checkout: &Project,
    ) -> Result<Run> {
        let runs = fs::read_dir(self.folder.path())?.count();
        let files = self.folder.path().join(runs.to_string());
        fs::create_dir(&files)?;
        let file = files.join("workflow.yml");
        fs::write(&file, documented(workflow)?.replace(PLACEHOLDER, origin()?))?;
        let github = files.join("github.json");
        let mut given = json!({ "event": event });
        if !self.stored.is_null() {
            given["stored"] = self.stored.clone();
        }
        fs::write(&github, given.to_string())?;
        let claims = json!({ "event_name": name, "sha": HEAD });
        let request = issuer().request_url("", REPOSITORY, self.id, &claims);
        let finished = self
            .shell
            .workflow(&file, checkout.folder(), &files, Some(&github))
            .variable("ACTIONS_ID_TOKEN_REQUEST_URL", &request)
            .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
            .variable("GITHUB_EVENT_NAME", name)
            .run()
            .await?;
        let after: Value = serde_json::from_str(&fs::read_to_string(&github)?)
            .with_context(|| format!("{}{}", finished.output, finished.errors))?;
        ensure!(after["invalid"] == json!([]), "{}", after["invalid"]);
        ensure!(!finished.output.contains("dotdo_run_"), "{}", finished.output);
        self.stored = after["stored"].clone();
        Ok(Run {
            finished,
            jobs: after["jobs"].clone(),
            annotations: after["annotations"].clone(),
            files,
        })
    }

    /// The only comment in the pull request.
    pub fn comment(&self) -> Result<&str> {
        let comments = self.stored["comments"].as_array().context("no comments")?;
        ensure!(comments.len() == 1, "{comments:?}");
        comments[0]["body"].as_str().context("the comment has no body")
    }

    /// The last states of the deployments on GitHub, the oldest deployment first.
    pub fn states(&self) -> Vec<&str> {
        let deployments = self.stored["deployments"].as_array().into_iter().flatten();
        deployments
            .filter_map(|deployment| deployment["statuses"].as_array()?.last()?["state"].as_str())
            .collect()
    }
}

impl Run {
    pub fn success(self) -> Result<Self> {
        ensure!(
            self.finished.succeeded,
            "{}{}",
            self.finished.output,
            self.finished.errors
        );
        Ok(self)
    }

    /// The annotations of a failed run.
    pub fn failure(self) -> Result<String> {
        ensure!(!self.finished.succeeded, "{}", self.finished.output);
        Ok(self.annotations.to_string())
    }
}
