//! The secrets that no workflow needs any more.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use serde::Serialize;

use super::Workflow;
use super::document::Node;
use super::expressions::{Secrets, secrets_in};

/// A secret that no workflow needs any more.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// The GitHub environments of the jobs that used it, where it may be defined.
    pub environments: BTreeSet<String>,
}

impl Secret {
    /// The commands that delete it, wherever it is defined.
    pub fn commands(&self) -> Vec<String> {
        let of_environments = self
            .environments
            .iter()
            .map(|environment| format!("gh secret delete {} --env {}", self.name, quoted(environment)));
        std::iter::once(format!("gh secret delete {}", self.name))
            .chain(of_environments)
            .collect()
    }
}

/// The secrets of the uses that workflows have, by name.
#[derive(Default)]
pub struct Candidates {
    environments: BTreeMap<String, BTreeSet<String>>,
}

impl Candidates {
    /// Adds the secrets of the uses of a workflow. Secrets that its caller passes do not belong to the repository.
    pub fn add(&mut self, workflow: &Workflow) {
        let parameters = parameters(&workflow.root);
        for found in &workflow.uses {
            let environment = found
                .job
                .as_deref()
                .and_then(|job| environment(&workflow.root, job));
            for secret in found
                .secrets
                .iter()
                .filter(|secret| !parameters.contains(*secret))
            {
                let environments = self.environments.entry(secret.clone()).or_default();
                environments.extend(environment.clone());
            }
        }
    }

    /// Those that no workflow uses. `still_used` is what the workflows use.
    pub fn unused(self, still_used: &Secrets) -> Vec<Secret> {
        let unused = self.environments.into_iter();
        unused
            .filter(|(name, _)| !still_used.names.contains(name))
            .map(|(name, environments)| Secret { name, environments })
            .collect()
    }
}

/// The secrets of a workflow besides those of its uses.
pub fn other_secrets(workflow: &Workflow) -> Secrets {
    let uses: HashSet<&Range<usize>> = workflow.uses.iter().map(|found| &found.value).collect();
    secrets_where(workflow, |value| !uses.contains(&value.range))
}

/// All secrets of a workflow.
pub fn all_secrets(workflow: &Workflow) -> Secrets {
    secrets_where(workflow, |_| true)
}

fn secrets_where(workflow: &Workflow, is_read: impl Fn(&Node) -> bool) -> Secrets {
    let mut found = Secrets::default();
    workflow.root.each_text(&mut |_, value| {
        if is_read(value) {
            found.extend(secrets_in(value.text()));
        }
    });
    found
}

/// The names of the secrets that a workflow gets from its caller.
fn parameters(workflow: &Node) -> BTreeSet<String> {
    let declared = workflow
        .get("on")
        .and_then(|on| on.get("workflow_call"))
        .and_then(|call| call.get("secrets"));
    let names = declared.map(Node::entries).unwrap_or_default().iter();
    names.map(|(name, _)| name.text().to_ascii_uppercase()).collect()
}

/// The environment of a job: a name, or a mapping with a name and a URL. The value of an expression is not known here.
fn environment(workflow: &Node, job: &str) -> Option<String> {
    let environment = workflow.get("jobs")?.get(job)?.get("environment")?;
    let name = environment.get("name").unwrap_or(environment).text();
    (!name.is_empty() && !name.contains("${{")).then(|| name.to_owned())
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
