//! The claims in a rule of a policy, for each CI service.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Claim;

/// Defines the claims of a service: the name of each in a policy, and what it is. `given` returns those that a rule lists, in the
/// order of the definition, in which an explanation shows them.
macro_rules! claims {
    (
        $(#[$about:meta])*
        $document:ident, required: [$($required:literal),*],
        $( $(#[$description:meta])* $name:literal $field:ident: $claim:ident, )*
    ) => {
        $(#[$about])*
        #[derive(Debug, Deserialize, schemars::JsonSchema)]
        #[schemars(extend("required" = [$($required),*]))]
        #[serde(deny_unknown_fields, expecting = "an object with claims")]
        pub(super) struct $document {
            $(
                $(#[$description])*
                #[schemars(with = "Values")]
                #[serde(default, rename = $name, deserialize_with = "given")]
                $field: Option<Values>,
            )*
        }

        impl $document {
            /// The claims that the rule lists.
            pub fn given(&self) -> impl Iterator<Item = (Claim, &Values)> {
                [$( (Claim::$claim, &self.$field), )*]
                    .into_iter()
                    .filter_map(|(claim, values)| values.as_ref().map(|values| (claim, values)))
            }
        }
    };
}

claims! {
    /// Claims of a GitHub run. All listed claims must match. A list matches if one of its values matches.
    GitHubClaims, required: ["repository_id", "repository_owner_id"],
    /// The issuer of the token. Default: GitHub Actions on github.com.
    "issuer" issuer: Issuer,
    /// The numeric id of the repository: `gh api repos/OWNER/NAME --jq .id`.
    "repository_id" repository_id: RepositoryId,
    /// The numeric id of the owner: `gh api repos/OWNER/NAME --jq .owner.id`.
    "repository_owner_id" repository_owner_id: RepositoryOwnerId,
    /// `owner/name`, for readability, compared without case. The ids are required as well, because a name can be reused by another repository.
    "repository" repository: Repository,
    /// The name of the owner, for readability, compared without case.
    "repository_owner" repository_owner: RepositoryOwner,
    /// `public`, `private` or `internal`.
    "repository_visibility" repository_visibility: RepositoryVisibility,
    /// The full ref, such as `refs/heads/main`, or a prefix followed by one `*`, such as `refs/tags/v*`.
    "ref" git_ref: Ref,
    /// `branch` or `tag`.
    "ref_type" ref_type: RefType,
    /// Whether the ref is protected: the string `true` or `false`.
    "ref_protected" ref_protected: RefProtected,
    /// The GitHub environment of the job, compared without case.
    "environment" environment: Environment,
    /// The event that started the run. `pull_request_target`, `issue_comment` and `workflow_run` are never allowed in production.
    "event_name" event_name: EventName,
    /// The workflow file: the full value `owner/name/.github/workflows/file.yml@ref`.
    "workflow_ref" workflow_ref: WorkflowRef,
    /// The reusable workflow that contains the job, in the same format as `workflow_ref`.
    "job_workflow_ref" job_workflow_ref: JobWorkflowRef,
    /// The name of the account that started the run, for readability, compared without case.
    "actor" actor: Actor,
    /// The numeric id of the account that started the run.
    "actor_id" actor_id: ActorId,
    /// `github-hosted` or `self-hosted`.
    "runner_environment" runner_environment: RunnerEnvironment,
}

claims! {
    /// Claims of a job of GitLab CI. All listed claims must match. A list matches if one of its values matches.
    GitLabClaims, required: ["project_id", "namespace_id"],
    /// The issuer of the token: the address of the GitLab server. Default: `https://gitlab.com`.
    "issuer" issuer: Issuer,
    /// The numeric id of the project.
    "project_id" project_id: ProjectId,
    /// The numeric id of the group or user that owns the project.
    "namespace_id" namespace_id: NamespaceId,
    /// `group/project`, for readability, compared without case.
    "project_path" project_path: ProjectPath,
    /// The path of the group or user, for readability, compared without case.
    "namespace_path" namespace_path: NamespacePath,
    /// The full ref, such as `refs/heads/main`, or a prefix followed by one `*`. It is the claim `ref_path` of the token.
    "ref" git_ref: Ref,
    /// `branch` or `tag`.
    "ref_type" ref_type: RefType,
    /// Whether the ref is protected: the string `true` or `false`.
    "ref_protected" ref_protected: RefProtected,
    /// The environment of the job, compared exactly.
    "environment" environment: GitLabEnvironment,
    /// Whether the environment is protected: the string `true` or `false`.
    "environment_protected" environment_protected: EnvironmentProtected,
    /// What started the pipeline, such as `push`.
    "pipeline_source" pipeline_source: PipelineSource,
    /// The name of the account that started the job, for readability, compared without case.
    "user_login" user_login: UserLogin,
    /// The numeric id of the account that started the job.
    "user_id" user_id: UserId,
    /// `gitlab-hosted` or `self-hosted`.
    "runner_environment" runner_environment: RunnerEnvironment,
}

claims! {
    /// Claims of a job of Buildkite. All listed claims must match. A list matches if one of its values matches.
    BuildkiteClaims, required: ["organization_id", "pipeline_slug"],
    /// The issuer of the token. Default: `https://agent.buildkite.com`.
    "issuer" issuer: Issuer,
    /// The UUID of the organization. The job must request this claim.
    "organization_id" organization_id: OrganizationId,
    /// The name of the pipeline in addresses.
    "pipeline_slug" pipeline_slug: PipelineSlug,
    /// The name of the organization in addresses, for readability.
    "organization_slug" organization_slug: OrganizationSlug,
    /// `refs/heads/BRANCH` or `refs/tags/TAG` of the build, or a prefix followed by one `*`.
    "ref" git_ref: Ref,
    /// What started the build, such as `webhook`.
    "build_source" build_source: BuildSource,
    /// The key of the step.
    "step_key" step_key: StepKey,
    /// `buildkite-hosted` or `self-hosted`.
    "runner_environment" runner_environment: RunnerEnvironment,
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
