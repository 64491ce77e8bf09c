use serde::{Deserialize, Serialize};

/// The issuer of GitHub Actions on github.com; a GitHub Enterprise Server has its own.
/// <https://docs.github.com/en/actions/reference/security/oidc>
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// One run of a GitHub Actions workflow, as the claims of its verified OIDC token describe it.
///
/// Every field but [`issuer`](Self::issuer) is the claim of the same name. Names of owners and repositories are for
/// people to read: they are recycled when an account is renamed or deleted, so only the ids identify. The claim `sub`
/// is not here on purpose: its form is customisable, and it is never parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitHubRun {
    /// The claim `iss`: ids are unique within one issuer only.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// `owner/name`.
    pub repository: String,
    /// The repository's number, which survives renaming and is never given twice.
    pub repository_id: String,
    /// The account that owns the repository.
    pub repository_owner: String,
    /// That account's number.
    pub repository_owner_id: String,
    /// `public`, `private` or `internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_visibility: Option<String>,
    /// The full ref that the run was started for: `refs/heads/main`.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// `branch` or `tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_type: Option<String>,
    /// `true` or `false`, as a text: whether a branch protection or ruleset covers the ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_protected: Option<String>,
    /// The commit.
    pub sha: String,
    /// What started the run: `push`, `workflow_dispatch`, `pull_request_target` and so on.
    pub event_name: String,
    /// The job's GitHub environment; absent when the job names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The account that started the run.
    pub actor: String,
    /// That account's number.
    pub actor_id: String,
    /// The run's number, unique within the repository.
    pub run_id: String,
    /// 1 for the first try of the run.
    pub run_attempt: String,
    /// `owner/name/.github/workflows/file.yml@ref` of the workflow.
    pub workflow_ref: String,
    /// The commit of the workflow's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_sha: Option<String>,
    /// The same for the reusable workflow that the job comes from, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_workflow_ref: Option<String>,
    /// The commit of the reusable workflow's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_workflow_sha: Option<String>,
    /// `github-hosted` or `self-hosted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_environment: Option<String>,
}
