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

    /// Whether the claim is a numeric id, which a policy writes as a string of digits.
    #[must_use]
    pub const fn is_id(self) -> bool {
        matches!(self, Self::RepositoryId | Self::RepositoryOwnerId | Self::ActorId)
    }
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
