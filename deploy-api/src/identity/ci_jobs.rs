//! The jobs of CI services: runs of GitHub Actions, jobs of GitLab CI and of Buildkite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run of a GitHub Actions workflow, with the claims of its verified OIDC token.
///
/// Names of owners and repositories can be reused after an account is renamed or deleted, so only the ids identify a
/// repository. The claim `sub` is not included: its format is customizable, so it is never parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct GitHubRun {
    /// The claim `iss`. Ids are unique only within one issuer.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// `owner/name`.
    pub repository: String,
    /// The numeric id of the repository, which does not change when the repository is renamed and is never reused.
    pub repository_id: String,
    /// The name of the account that owns the repository.
    pub repository_owner: String,
    /// The numeric id of the account that owns the repository.
    pub repository_owner_id: String,
    /// `public`, `private` or `internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_visibility: Option<String>,
    /// The full ref for which the run was started: `refs/heads/main`.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// `branch` or `tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_type: Option<String>,
    /// Whether a branch protection rule or a ruleset covers the ref: the string `true` or `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_protected: Option<String>,
    /// The commit hash.
    pub sha: String,
    /// The event that started the run: `push`, `workflow_dispatch`, `pull_request_target` and so on.
    pub event_name: String,
    /// The GitHub environment of the job, if the job has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The name of the account that started the run.
    pub actor: String,
    /// The numeric id of the account that started the run.
    pub actor_id: String,
    /// The id of the run, unique within the repository.
    pub run_id: String,
    /// The number of the attempt, from 1.
    pub run_attempt: String,
    /// The workflow file: `owner/name/.github/workflows/file.yml@ref`.
    pub workflow_ref: String,
    /// The commit of the workflow file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_sha: Option<String>,
    /// The reusable workflow that contains the job, if any, in the same format as `workflow_ref`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_workflow_ref: Option<String>,
    /// The commit of the reusable workflow file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_workflow_sha: Option<String>,
    /// `github-hosted` or `self-hosted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_environment: Option<String>,
}

/// A job of GitLab CI, with the claims of its verified ID token.
///
/// In a pipeline for a merge request from a fork, the claims about the project are those of the fork.
/// <https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct GitLabJob {
    /// The claim `iss`. Ids are unique only within one issuer.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The numeric id of the project, which does not change when the project is renamed.
    pub project_id: String,
    /// `group/project`.
    pub project_path: String,
    /// The numeric id of the group or user that owns the project.
    pub namespace_id: String,
    /// The path of the group or user.
    pub namespace_path: String,
    /// The full ref: `refs/heads/main`. The claim `ref` is only its name.
    #[serde(rename = "ref_path")]
    pub git_ref: String,
    /// `branch` or `tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_type: Option<String>,
    /// Whether the ref is protected: the string `true` or `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_protected: Option<String>,
    /// The commit hash.
    pub sha: String,
    /// What started the pipeline: `push`, `web`, `merge_request_event` and so on.
    pub pipeline_source: String,
    /// The environment of the job, if the job has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Whether the environment is protected: the string `true` or `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_protected: Option<String>,
    /// The name of the account that started the job.
    pub user_login: String,
    /// The numeric id of the account that started the job.
    pub user_id: String,
    /// The id of the pipeline.
    pub pipeline_id: String,
    /// The id of the job.
    pub job_id: String,
    /// `gitlab-hosted` or `self-hosted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_environment: Option<String>,
}

/// A job of Buildkite, with the claims of its verified OIDC token.
/// <https://buildkite.com/docs/agent/v3/cli-oidc>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct BuildkiteJob {
    /// The claim `iss`.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The UUID of the organization. Empty if the job did not request the claim with `--claim organization_id`.
    pub organization_id: String,
    /// The name of the organization in addresses.
    pub organization_slug: String,
    /// The name of the pipeline in addresses, unique within the organization.
    pub pipeline_slug: String,
    /// The full ref: `refs/heads/` and the branch of the build, or `refs/tags/` and its tag, if it has one.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// The commit hash.
    pub sha: String,
    /// What started the build: `webhook`, `ui`, `api`, `schedule` or `trigger_job`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_source: Option<String>,
    /// The key of the step, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_key: Option<String>,
    /// The number of the build, unique within the pipeline.
    pub build_number: String,
    /// The UUID of the job.
    pub job_id: String,
    /// `buildkite-hosted` or `self-hosted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_environment: Option<String>,
}

impl BuildkiteJob {
    /// `organization/pipeline`.
    #[must_use]
    pub fn pipeline(&self) -> String {
        format!("{}/{}", self.organization_slug, self.pipeline_slug)
    }

    /// The full ref of a build, by its branch and its tag. An empty tag is none.
    pub(crate) fn ref_of(branch: Option<&str>, tag: Option<&str>) -> Option<String> {
        match tag.filter(|tag| !tag.is_empty()) {
            Some(tag) => Some(format!("refs/tags/{tag}")),
            None => branch.map(|branch| format!("refs/heads/{branch}")),
        }
    }
}

/// The claims in a token of Buildkite.
#[derive(Deserialize)]
pub(super) struct BuildkiteClaims {
    iss: String,
    #[serde(default)]
    organization_id: String,
    organization_slug: String,
    pipeline_slug: String,
    build_branch: String,
    build_tag: Option<String>,
    build_commit: String,
    build_source: Option<String>,
    step_key: Option<String>,
    build_number: u64,
    job_id: String,
    runner_environment: Option<String>,
}

impl From<BuildkiteClaims> for BuildkiteJob {
    fn from(claims: BuildkiteClaims) -> Self {
        let git_ref = Self::ref_of(Some(&claims.build_branch), claims.build_tag.as_deref());
        Self {
            issuer: claims.iss,
            organization_id: claims.organization_id,
            organization_slug: claims.organization_slug,
            pipeline_slug: claims.pipeline_slug,
            // Every token has a branch.
            git_ref: git_ref.unwrap_or_default(),
            sha: claims.build_commit,
            build_source: claims.build_source,
            step_key: claims.step_key,
            build_number: claims.build_number.to_string(),
            job_id: claims.job_id,
            runner_environment: claims.runner_environment,
        }
    }
}
