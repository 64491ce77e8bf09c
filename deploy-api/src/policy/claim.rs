use std::fmt;

use serde::{Serialize, Serializer};

use crate::identity::GitHubRun;

/// A claim of a GitHub run that a rule can match. `sub` is not included: its format is customizable, so it is never read.
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
    /// `ref`
    Ref,
    /// `ref_type`
    RefType,
    /// `ref_protected`
    RefProtected,
    /// `environment`
    Environment,
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
            Self::Environment => "environment",
            Self::EventName => "event_name",
            Self::WorkflowRef => "workflow_ref",
            Self::JobWorkflowRef => "job_workflow_ref",
            Self::Actor => "actor",
            Self::ActorId => "actor_id",
            Self::RunnerEnvironment => "runner_environment",
        }
    }

    /// The value of the claim in a run. `None` if the claim is missing or empty.
    #[must_use]
    pub fn of(self, run: &GitHubRun) -> Option<&str> {
        let value: Option<&str> = match self {
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
        };
        value.filter(|value| !value.is_empty())
    }

    /// Whether two values of the claim are equal. GitHub treats names of repositories, accounts and environments as equal if
    /// only the case of letters of ASCII differs, and so does this. A workflow is named by its repository, which is compared
    /// without case, and by a path and a ref, which are compared exactly, as all other claims are.
    #[must_use]
    pub fn are_equal(self, one: &str, other: &str) -> bool {
        match self {
            Self::Repository | Self::RepositoryOwner | Self::Environment | Self::Actor => {
                one.eq_ignore_ascii_case(other)
            }
            Self::WorkflowRef | Self::JobWorkflowRef => {
                let (one, path) = split_repository(one);
                let (other, other_path) = split_repository(other);
                one.eq_ignore_ascii_case(other) && path == other_path
            }
            Self::Issuer
            | Self::RepositoryId
            | Self::RepositoryOwnerId
            | Self::RepositoryVisibility
            | Self::Ref
            | Self::RefType
            | Self::RefProtected
            | Self::EventName
            | Self::ActorId
            | Self::RunnerEnvironment => one == other,
        }
    }

    /// Whether the claim is a numeric id, which a policy writes as a string of digits.
    #[must_use]
    pub const fn is_id(self) -> bool {
        matches!(self, Self::RepositoryId | Self::RepositoryOwnerId | Self::ActorId)
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
