//! The identities of callers: jobs of CI services, API tokens, and the bootstrap administrator.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{BuildkiteJob, GitHubRun, GitLabJob, Provider};
use crate::schema::text_schema;

/// An authenticated identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    /// A run of a GitHub Actions workflow.
    GithubRun(Box<GitHubRun>),
    /// A job of GitLab CI.
    GitlabJob(Box<GitLabJob>),
    /// A job of Buildkite.
    BuildkiteJob(Box<BuildkiteJob>),
    /// A person or another CI system with an API token.
    ApiToken {
        /// The subject for which the token was created.
        subject: Subject,
    },
    /// The holder of the bootstrap secret, who may read and administer, but not deploy.
    BootstrapAdministrator,
    /// The deploy API itself, which deletes expired previews.
    Platform,
}

impl Identity {
    /// The CI service that proved the identity. `None` for tokens of this API, the bootstrap secret and the platform.
    #[must_use]
    pub const fn provider(&self) -> Option<Provider> {
        match self {
            Self::GithubRun(_) => Some(Provider::GitHub),
            Self::GitlabJob(_) => Some(Provider::GitLab),
            Self::BuildkiteJob(_) => Some(Provider::Buildkite),
            Self::ApiToken { .. } | Self::BootstrapAdministrator | Self::Platform => None,
        }
    }
}

/// A short phrase for a terminal or a log: `drivly/agents at refs/heads/main (run 42)`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GithubRun(run) => {
                write!(f, "{} at {} (run {})", run.repository, run.git_ref, run.run_id)
            }
            Self::GitlabJob(job) => {
                write!(f, "{} at {} (job {})", job.project_path, job.git_ref, job.job_id)
            }
            Self::BuildkiteJob(job) => {
                write!(
                    f,
                    "{} at {} (build {})",
                    job.pipeline(),
                    job.git_ref,
                    job.build_number
                )
            }
            Self::ApiToken { subject } => write!(f, "the API token of {subject}"),
            Self::BootstrapAdministrator => f.write_str("the bootstrap administrator"),
            Self::Platform => f.write_str("the platform"),
        }
    }
}

/// The maximum length of a subject, in characters.
const MAX_LENGTH: usize = 64;

/// The person or system for which an API token was created, as named in the rules of the policy: `alice`,
/// `ci@build.example`. 1 to 64 characters of a-z, 0-9 and `. _ - @`, starting with a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

text_schema!(
    Subject,
    "Subject",
    "The person or system for which an API token was created.",
    "^[a-z0-9][a-z0-9._@-]{0,63}$"
);

/// The string is not a valid [`Subject`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a valid subject: use 1 to 64 characters of a-z, 0-9 and . _ - @, starting with a letter or a digit"
)]
pub struct InvalidSubject(String);

impl Subject {
    /// Parses a subject.
    ///
    /// # Errors
    /// If the format is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidSubject> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
        let valid_start = text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
        if valid_start && text.len() <= MAX_LENGTH && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSubject(text.chars().take(MAX_LENGTH).collect()))
        }
    }

    /// The subject as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = InvalidSubject;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_subjects_are_rejected() {
        for good in ["alice", "7", "ci@build.example", "a-b_c.d"] {
            assert!(Subject::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_LENGTH + 1);
        for bad in ["", "Alice", "@alice", "a b", "a/b", "é", long.as_str()] {
            assert!(Subject::parse(bad).is_err(), "{bad}");
        }
    }
}
