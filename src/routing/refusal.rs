use std::borrow::Cow;
use std::fmt;

use dotdo_names::{Environment, InvalidWorkerName};
use thiserror::Error;

use super::host::Host;
use super::rule::Rule;
use super::url::InvalidUrl;

/// A request that no Worker gets, and why.
#[derive(Clone, Debug)]
pub struct Refusal<'a> {
    pub(super) reason: Reason<'a>,
    pub(super) rule: Option<&'a Rule>,
    pub(super) host: Option<Host<'a>>,
}

/// The codes of the error table that routing returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    /// `HOST_UNKNOWN`: no rule matches.
    HostUnknown,
    /// `ENVIRONMENT_UNKNOWN`: the label in the environment's position is not an environment, or one that the rule does
    /// not serve.
    EnvironmentUnknown,
    /// `WORKER_NAME_INVALID`: the name is reserved or malformed.
    WorkerNameInvalid,
}

/// The reason for a refusal. Its text is for people, and clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason<'a> {
    /// No rule can match the URL.
    #[error("{0}")]
    Url(InvalidUrl),
    /// No rule matches host and path.
    #[error("no rule serves this host")]
    NoRule,
    /// The text of `{env}` is not an environment's label.
    #[error(
        "`{label}` is not an environment: the labels are `staging`, `dev` and `development`, and production has none"
    )]
    UnknownEnvironment {
        /// The text of `{env}`.
        label: Cow<'a, str>,
    },
    /// The rule matches, but the host names an environment that it does not serve.
    #[error("the host names `{label}`, but the rule that matches serves {environment}")]
    OtherEnvironment {
        /// The environment's label in the host.
        label: Cow<'a, str>,
        /// The rule's environment.
        environment: Environment,
    },
    /// The rule matches, but the Worker's name is invalid.
    #[error("`{name}` is not a valid Worker name: {reason}")]
    InvalidWorkerName {
        /// The name.
        name: Cow<'a, str>,
        /// What is wrong with it.
        reason: InvalidWorkerName,
    },
}

impl<'a> Refusal<'a> {
    /// The code of the error table.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        match self.reason {
            Reason::Url(_) | Reason::NoRule => RefusalCode::HostUnknown,
            Reason::UnknownEnvironment { .. } | Reason::OtherEnvironment { .. } => {
                RefusalCode::EnvironmentUnknown
            }
            Reason::InvalidWorkerName { .. } => RefusalCode::WorkerNameInvalid,
        }
    }

    /// The reason, for people.
    #[must_use]
    pub fn reason(&self) -> &Reason<'a> {
        &self.reason
    }

    /// The rule that refused the request, or the one that nearly matched.
    #[must_use]
    pub fn rule(&self) -> Option<&'a Rule> {
        self.rule
    }

    /// The request's host, if it is valid: a [`RefusalCode::HostUnknown`] with a host may be a custom hostname.
    #[must_use]
    pub fn host(&self) -> Option<Host<'a>> {
        self.host
    }
}

impl RefusalCode {
    /// The code as it is written in the error table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HostUnknown => "HOST_UNKNOWN",
            Self::EnvironmentUnknown => "ENVIRONMENT_UNKNOWN",
            Self::WorkerNameInvalid => "WORKER_NAME_INVALID",
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Reason<'_> {
    /// The same reason, no longer borrowed from a buffer.
    pub(super) fn into_owned<'o>(self) -> Reason<'o> {
        match self {
            Self::Url(reason) => Reason::Url(reason),
            Self::NoRule => Reason::NoRule,
            Self::UnknownEnvironment { label } => Reason::UnknownEnvironment {
                label: Cow::Owned(label.into_owned()),
            },
            Self::OtherEnvironment { label, environment } => Reason::OtherEnvironment {
                label: Cow::Owned(label.into_owned()),
                environment,
            },
            Self::InvalidWorkerName { name, reason } => Reason::InvalidWorkerName {
                name: Cow::Owned(name.into_owned()),
                reason,
            },
        }
    }
}
