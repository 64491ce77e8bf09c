use std::borrow::Cow;
use std::fmt;

use dotdo_names::{Environment, InvalidWorkerName};
use thiserror::Error;

use super::host::Host;
use super::rule::Rule;
use super::url::InvalidUrl;

/// Why a request gets no Worker.
#[derive(Clone, Debug)]
pub struct Refusal<'a> {
    pub(super) reason: Reason<'a>,
    pub(super) rule: Option<&'a Rule>,
    pub(super) host: Option<Host<'a>>,
}

/// The codes of the error table that routing gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    /// `HOST_UNKNOWN`: no rule matches.
    HostUnknown,
    /// `ENVIRONMENT_UNKNOWN`: the label where an environment stands is none, or names one that the rule does not serve.
    EnvironmentUnknown,
    /// `WORKER_NAME_INVALID`: reserved or malformed.
    WorkerNameInvalid,
}

/// What was wrong, for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason<'a> {
    /// No rule can match the URL.
    #[error("{0}")]
    Url(InvalidUrl),
    /// Host and path match no rule.
    #[error("no rule serves this host")]
    NoRule,
    /// `{env}` took something else.
    #[error(
        "`{label}` is no environment: a host names `staging`, `dev` or `development`, or none for production"
    )]
    NoEnvironment {
        /// What it took.
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
    /// The rule matches, but what it makes of the host is no Worker's name.
    #[error("`{name}` is no Worker: {reason}")]
    NoWorkerName {
        /// What the rule made.
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
            Reason::NoEnvironment { .. } | Reason::OtherEnvironment { .. } => RefusalCode::EnvironmentUnknown,
            Reason::NoWorkerName { .. } => RefusalCode::WorkerNameInvalid,
        }
    }

    /// What was wrong, for people.
    #[must_use]
    pub fn reason(&self) -> &Reason<'a> {
        &self.reason
    }

    /// The rule that nearly matched.
    #[must_use]
    pub fn rule(&self) -> Option<&'a Rule> {
        self.rule
    }

    /// The request's host, if it is one: a [`RefusalCode::HostUnknown`] with a host may be a custom hostname.
    #[must_use]
    pub fn host(&self) -> Option<Host<'a>> {
        self.host
    }
}

impl RefusalCode {
    /// As the error table writes it.
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
    /// The same, no longer borrowed from a buffer.
    pub(super) fn into_owned<'o>(self) -> Reason<'o> {
        match self {
            Self::Url(reason) => Reason::Url(reason),
            Self::NoRule => Reason::NoRule,
            Self::NoEnvironment { label } => Reason::NoEnvironment {
                label: Cow::Owned(label.into_owned()),
            },
            Self::OtherEnvironment { label, environment } => Reason::OtherEnvironment {
                label: Cow::Owned(label.into_owned()),
                environment,
            },
            Self::NoWorkerName { name, reason } => Reason::NoWorkerName {
                name: Cow::Owned(name.into_owned()),
                reason,
            },
        }
    }
}
