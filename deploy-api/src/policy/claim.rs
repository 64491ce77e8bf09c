use std::fmt;

use serde::{Serialize, Serializer};

use crate::identity::{BuildkiteJob, GitHubRun, GitLabJob, Identity, Provider};

/// A claim of a CI job that a rule can match. `sub` is not included: its format is customizable, so it is never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// `issuer`, the token's `iss`.
    Issuer,
    /// `repository`
    Repository,
    /// `repository_id`
    RepositoryId,
    /// `repository_owner`
    RepositoryOwner,
    /// `repository_owner_id`
    RepositoryOwnerId,
    /// `repository_visibility`
    RepositoryVisibility,
    /// `ref`: the full ref, whatever the service calls it.
    Ref,
    /// `ref_type`
    RefType,
    /// `ref_protected`
    RefProtected,
    /// `environment` of GitHub, where the case of its name does not matter.
    Environment,
    /// `environment` of GitLab, where environments can differ only in the case of their names.
    GitLabEnvironment,
    /// `environment_protected`
    EnvironmentProtected,
    /// `event_name`
    EventName,
    /// `workflow_ref`
    WorkflowRef,
    /// `job_workflow_ref`
    JobWorkflowRef,
    /// `actor`
    Actor,
    /// `actor_id`
    ActorId,
    /// `runner_environment`
    RunnerEnvironment,
    /// `project_path`
    ProjectPath,
    /// `project_id`
    ProjectId,
    /// `namespace_path`
    NamespacePath,
    /// `namespace_id`
    NamespaceId,
    /// `pipeline_source`
    PipelineSource,
    /// `user_login`
    UserLogin,
    /// `user_id`
    UserId,
    /// `organization_id`
    OrganizationId,
    /// `organization_slug`
    OrganizationSlug,
    /// `pipeline_slug`
    PipelineSlug,
    /// `build_source`
    BuildSource,
    /// `step_key`
    StepKey,
}

impl Claim {
    /// The name of the claim in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Repository => "repository",
            Self::RepositoryId => "repository_id",
            Self::RepositoryOwner => "repository_owner",
            Self::RepositoryOwnerId => "repository_owner_id",
            Self::RepositoryVisibility => "repository_visibility",
            Self::Ref => "ref",
            Self::RefType => "ref_type",
            Self::RefProtected => "ref_protected",
            Self::Environment | Self::GitLabEnvironment => "environment",
            Self::EnvironmentProtected => "environment_protected",
            Self::EventName => "event_name",
            Self::WorkflowRef => "workflow_ref",
            Self::JobWorkflowRef => "job_workflow_ref",
            Self::Actor => "actor",
            Self::ActorId => "actor_id",
            Self::RunnerEnvironment => "runner_environment",
            Self::ProjectPath => "project_path",
            Self::ProjectId => "project_id",
            Self::NamespacePath => "namespace_path",
            Self::NamespaceId => "namespace_id",
            Self::PipelineSource => "pipeline_source",
            Self::UserLogin => "user_login",
            Self::UserId => "user_id",
            Self::OrganizationId => "organization_id",
            Self::OrganizationSlug => "organization_slug",
            Self::PipelineSlug => "pipeline_slug",
            Self::BuildSource => "build_source",
            Self::StepKey => "step_key",
        }
    }

    /// The claims that a rule for jobs of a service must have, because names can be transferred and all users of a service have
    /// the same issuer.
    #[must_use]
    pub const fn required(provider: Provider) -> [Self; 2] {
        match provider {
            Provider::GitHub => [Self::RepositoryId, Self::RepositoryOwnerId],
            Provider::GitLab => [Self::ProjectId, Self::NamespaceId],
            // The slug of a pipeline is unique in its organization, whose members can rename it.
            Provider::Buildkite => [Self::OrganizationId, Self::PipelineSlug],
        }
    }

    /// Where the value of a required claim is found, to follow "see".
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::ProjectId | Self::NamespaceId => {
                "`id` and `namespace.id` in `glab api projects/GROUP%2FPROJECT`"
            }
            Self::OrganizationId => "the id in the settings of the organization",
            Self::PipelineSlug => "the last part of the pipeline's address",
            _ => "`gh api repos/OWNER/NAME --jq '.id, .owner.id'`",
        }
    }

    /// The value of the claim of a caller. `None` if the claim is missing or empty.
    #[must_use]
    pub fn of(self, identity: &Identity) -> Option<&str> {
        let value = match identity {
            Identity::GithubRun(run) => self.of_github(run),
            Identity::GitlabJob(job) => self.of_gitlab(job),
            Identity::BuildkiteJob(job) => self.of_buildkite(job),
            Identity::ApiToken { .. } | Identity::BootstrapAdministrator | Identity::Platform => None,
        };
        value.filter(|value| !value.is_empty())
    }

    fn of_github(self, run: &GitHubRun) -> Option<&str> {
        match self {
            Self::Issuer => Some(&run.issuer),
            Self::Repository => Some(&run.repository),
            Self::RepositoryId => Some(&run.repository_id),
            Self::RepositoryOwner => Some(&run.repository_owner),
            Self::RepositoryOwnerId => Some(&run.repository_owner_id),
            Self::RepositoryVisibility => run.repository_visibility.as_deref(),
            Self::Ref => Some(&run.git_ref),
            Self::RefType => run.ref_type.as_deref(),
            Self::RefProtected => run.ref_protected.as_deref(),
            Self::Environment => run.environment.as_deref(),
            Self::EventName => Some(&run.event_name),
            Self::WorkflowRef => Some(&run.workflow_ref),
            Self::JobWorkflowRef => run.job_workflow_ref.as_deref(),
            Self::Actor => Some(&run.actor),
            Self::ActorId => Some(&run.actor_id),
            Self::RunnerEnvironment => run.runner_environment.as_deref(),
            _ => None,
        }
    }

    fn of_gitlab(self, job: &GitLabJob) -> Option<&str> {
        match self {
            Self::Issuer => Some(&job.issuer),
            Self::ProjectPath => Some(&job.project_path),
            Self::ProjectId => Some(&job.project_id),
            Self::NamespacePath => Some(&job.namespace_path),
            Self::NamespaceId => Some(&job.namespace_id),
            Self::Ref => Some(&job.git_ref),
            Self::RefType => job.ref_type.as_deref(),
            Self::RefProtected => job.ref_protected.as_deref(),
            Self::GitLabEnvironment => job.environment.as_deref(),
            Self::EnvironmentProtected => job.environment_protected.as_deref(),
            Self::PipelineSource => Some(&job.pipeline_source),
            Self::UserLogin => Some(&job.user_login),
            Self::UserId => Some(&job.user_id),
            Self::RunnerEnvironment => job.runner_environment.as_deref(),
            _ => None,
        }
    }

    fn of_buildkite(self, job: &BuildkiteJob) -> Option<&str> {
        match self {
            Self::Issuer => Some(&job.issuer),
            Self::OrganizationId => Some(&job.organization_id),
            Self::OrganizationSlug => Some(&job.organization_slug),
            Self::PipelineSlug => Some(&job.pipeline_slug),
            Self::Ref => Some(&job.git_ref),
            Self::BuildSource => job.build_source.as_deref(),
            Self::StepKey => job.step_key.as_deref(),
            Self::RunnerEnvironment => job.runner_environment.as_deref(),
            _ => None,
        }
    }

    /// Whether two values of the claim are equal. GitHub treats names of repositories, accounts and environments as equal if
    /// only the case of letters of ASCII differs, as GitLab does with paths and accounts, and so does this. A workflow is named by
    /// its repository, which is compared without case, and by a path and a ref, which are compared exactly, as all other claims
    /// are.
    #[must_use]
    pub fn are_equal(self, one: &str, other: &str) -> bool {
        match self {
            Self::Repository
            | Self::RepositoryOwner
            | Self::Environment
            | Self::Actor
            | Self::ProjectPath
            | Self::NamespacePath
            | Self::UserLogin => one.eq_ignore_ascii_case(other),
            Self::WorkflowRef | Self::JobWorkflowRef => {
                let (one, path) = split_repository(one);
                let (other, other_path) = split_repository(other);
                one.eq_ignore_ascii_case(other) && path == other_path
            }
            _ => one == other,
        }
    }

    /// Whether the claim is a numeric id, which a policy writes as a string of digits.
    #[must_use]
    pub const fn is_id(self) -> bool {
        matches!(
            self,
            Self::RepositoryId
                | Self::RepositoryOwnerId
                | Self::ActorId
                | Self::ProjectId
                | Self::NamespaceId
                | Self::UserId
        )
    }
}

/// Splits `owner/name/path@ref` after `owner/name`.
fn split_repository(workflow: &str) -> (&str, &str) {
    let end = workflow.match_indices('/').nth(1).map(|(index, _)| index);
    end.and_then(|end| workflow.split_at_checked(end))
        .unwrap_or((workflow, ""))
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Claim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_everything_else_exactly() {
        let deploy = "drivly/agents/.github/workflows/deploy.yml@refs/heads/main";
        for (claim, one, other, equal) in [
            (Claim::Repository, "drivly/agents", "Drivly/Agents", true),
            (Claim::RepositoryOwner, "drivly", "DRIVLY", true),
            (Claim::Environment, "production", "Production", true),
            (Claim::Environment, "production", "production2", false),
            (Claim::GitLabEnvironment, "production", "Production", false),
            (Claim::ProjectPath, "acme/agents", "Acme/Agents", true),
            (Claim::PipelineSlug, "agents", "Agents", false),
            (Claim::Environment, "stra\u{df}e", "STRASSE", false),
            (Claim::Actor, "octocat", "Octocat", true),
            (Claim::Ref, "refs/heads/main", "refs/heads/Main", false),
            (Claim::EventName, "push", "Push", false),
            (
                Claim::WorkflowRef,
                deploy,
                &deploy.replace("drivly/a", "Drivly/A"),
                true,
            ),
            (
                Claim::WorkflowRef,
                deploy,
                &deploy.replace("deploy", "Deploy"),
                false,
            ),
            (
                Claim::JobWorkflowRef,
                deploy,
                &deploy.replace("main", "Main"),
                false,
            ),
            (Claim::JobWorkflowRef, deploy, "drivly/agents", false),
        ] {
            assert_eq!(claim.are_equal(one, other), equal, "{claim}: {one} {other}");
        }
    }
}
