//! The claims in a rule of a policy, for each CI service.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Claim;

/// Claims of a GitHub run. All listed claims must match. A list matches if one of its values matches.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Claims", extend("required" = ["repository_id", "repository_owner_id"]))]
#[serde(deny_unknown_fields, expecting = "an object with claims")]
pub(super) struct GitHubClaims {
    /// The issuer of the token. Default: GitHub Actions on github.com.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub issuer: Option<Values>,
    /// `owner/name`, for readability, compared without case. The ids are required as well, because a name can be reused by another repository.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository: Option<Values>,
    /// The numeric id of the repository: `gh api repos/OWNER/NAME --jq .id`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_id: Option<Values>,
    /// The name of the owner, for readability, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_owner: Option<Values>,
    /// The numeric id of the owner: `gh api repos/OWNER/NAME --jq .owner.id`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_owner_id: Option<Values>,
    /// `public`, `private` or `internal`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_visibility: Option<Values>,
    /// The full ref, such as `refs/heads/main`, or a prefix followed by one `*`, such as `refs/tags/v*`.
    #[schemars(with = "Values")]
    #[serde(default, rename = "ref", deserialize_with = "given")]
    pub git_ref: Option<Values>,
    /// `branch` or `tag`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub ref_type: Option<Values>,
    /// Whether the ref is protected: the string `true` or `false`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub ref_protected: Option<Values>,
    /// The GitHub environment of the job, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub environment: Option<Values>,
    /// The event that started the run. `pull_request_target`, `issue_comment` and `workflow_run` are never allowed in production.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub event_name: Option<Values>,
    /// The workflow file: the full value `owner/name/.github/workflows/file.yml@ref`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub workflow_ref: Option<Values>,
    /// The reusable workflow that contains the job, in the same format as `workflow_ref`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub job_workflow_ref: Option<Values>,
    /// The name of the account that started the run, for readability, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub actor: Option<Values>,
    /// The numeric id of the account that started the run.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub actor_id: Option<Values>,
    /// `github-hosted` or `self-hosted`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub runner_environment: Option<Values>,
}

impl GitHubClaims {
    /// The claims that the rule lists, in the order in which an explanation shows them.
    pub fn given(&self) -> impl Iterator<Item = (Claim, &Values)> {
        [
            (Claim::Issuer, &self.issuer),
            (Claim::RepositoryId, &self.repository_id),
            (Claim::RepositoryOwnerId, &self.repository_owner_id),
            (Claim::Repository, &self.repository),
            (Claim::RepositoryOwner, &self.repository_owner),
            (Claim::RepositoryVisibility, &self.repository_visibility),
            (Claim::Ref, &self.git_ref),
            (Claim::RefType, &self.ref_type),
            (Claim::RefProtected, &self.ref_protected),
            (Claim::Environment, &self.environment),
            (Claim::EventName, &self.event_name),
            (Claim::WorkflowRef, &self.workflow_ref),
            (Claim::JobWorkflowRef, &self.job_workflow_ref),
            (Claim::Actor, &self.actor),
            (Claim::ActorId, &self.actor_id),
            (Claim::RunnerEnvironment, &self.runner_environment),
        ]
        .into_iter()
        .filter_map(|(claim, values)| values.as_ref().map(|values| (claim, values)))
    }
}

/// Claims of a job of GitLab CI. All listed claims must match. A list matches if one of its values matches.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required" = ["project_id", "namespace_id"]))]
#[serde(deny_unknown_fields, expecting = "an object with claims")]
pub(super) struct GitLabClaims {
    /// The issuer of the token: the address of the GitLab server. Default: `https://gitlab.com`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub issuer: Option<Values>,
    /// The numeric id of the project.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub project_id: Option<Values>,
    /// The numeric id of the group or user that owns the project.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub namespace_id: Option<Values>,
    /// `group/project`, for readability, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub project_path: Option<Values>,
    /// The path of the group or user, for readability, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub namespace_path: Option<Values>,
    /// The full ref, such as `refs/heads/main`, or a prefix followed by one `*`. It is the claim `ref_path` of the token.
    #[schemars(with = "Values")]
    #[serde(default, rename = "ref", deserialize_with = "given")]
    pub git_ref: Option<Values>,
    /// `branch` or `tag`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub ref_type: Option<Values>,
    /// Whether the ref is protected: the string `true` or `false`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub ref_protected: Option<Values>,
    /// The environment of the job, compared exactly.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub environment: Option<Values>,
    /// Whether the environment is protected: the string `true` or `false`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub environment_protected: Option<Values>,
    /// What started the pipeline, such as `push`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub pipeline_source: Option<Values>,
    /// The name of the account that started the job, for readability, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub user_login: Option<Values>,
    /// The numeric id of the account that started the job.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub user_id: Option<Values>,
    /// `gitlab-hosted` or `self-hosted`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub runner_environment: Option<Values>,
}

impl GitLabClaims {
    /// The claims that the rule lists, in the order in which an explanation shows them.
    pub fn given(&self) -> impl Iterator<Item = (Claim, &Values)> {
        [
            (Claim::Issuer, &self.issuer),
            (Claim::ProjectId, &self.project_id),
            (Claim::NamespaceId, &self.namespace_id),
            (Claim::ProjectPath, &self.project_path),
            (Claim::NamespacePath, &self.namespace_path),
            (Claim::Ref, &self.git_ref),
            (Claim::RefType, &self.ref_type),
            (Claim::RefProtected, &self.ref_protected),
            (Claim::GitLabEnvironment, &self.environment),
            (Claim::EnvironmentProtected, &self.environment_protected),
            (Claim::PipelineSource, &self.pipeline_source),
            (Claim::UserLogin, &self.user_login),
            (Claim::UserId, &self.user_id),
            (Claim::RunnerEnvironment, &self.runner_environment),
        ]
        .into_iter()
        .filter_map(|(claim, values)| values.as_ref().map(|values| (claim, values)))
    }
}

/// Claims of a job of Buildkite. All listed claims must match. A list matches if one of its values matches.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(extend("required" = ["organization_id", "pipeline_slug"]))]
#[serde(deny_unknown_fields, expecting = "an object with claims")]
pub(super) struct BuildkiteClaims {
    /// The issuer of the token. Default: `https://agent.buildkite.com`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub issuer: Option<Values>,
    /// The UUID of the organization. The job must request this claim.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub organization_id: Option<Values>,
    /// The name of the pipeline in addresses.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub pipeline_slug: Option<Values>,
    /// The name of the organization in addresses, for readability.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub organization_slug: Option<Values>,
    /// `refs/heads/BRANCH` or `refs/tags/TAG` of the build, or a prefix followed by one `*`.
    #[schemars(with = "Values")]
    #[serde(default, rename = "ref", deserialize_with = "given")]
    pub git_ref: Option<Values>,
    /// What started the build, such as `webhook`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub build_source: Option<Values>,
    /// The key of the step.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub step_key: Option<Values>,
    /// `buildkite-hosted` or `self-hosted`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub runner_environment: Option<Values>,
}

impl BuildkiteClaims {
    /// The claims that the rule lists, in the order in which an explanation shows them.
    pub fn given(&self) -> impl Iterator<Item = (Claim, &Values)> {
        [
            (Claim::Issuer, &self.issuer),
            (Claim::OrganizationId, &self.organization_id),
            (Claim::PipelineSlug, &self.pipeline_slug),
            (Claim::OrganizationSlug, &self.organization_slug),
            (Claim::Ref, &self.git_ref),
            (Claim::BuildSource, &self.build_source),
            (Claim::StepKey, &self.step_key),
            (Claim::RunnerEnvironment, &self.runner_environment),
        ]
        .into_iter()
        .filter_map(|(claim, values)| values.as_ref().map(|values| (claim, values)))
    }
}

/// One string, or a list of alternative strings.
#[derive(Debug)]
pub(super) struct Values(pub Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

/// Deserializes a claim that is present. `null` is an error: it looks like a condition, but would not be checked.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Values>, D::Error> {
    Values::deserialize(deserializer).map(Some)
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string (ids too) or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
        Ok(Values(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Values(values))
    }
}

impl schemars::JsonSchema for Values {
    fn inline_schema() -> bool {
        false
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "One string, or a list of alternative strings.",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 }
            ]
        })
    }
}
