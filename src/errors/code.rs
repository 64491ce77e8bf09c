//! The error codes of the dispatch Worker.

use dotdo_names::ERRORS_PAGE;

use crate::routing::RefusalCode;

/// Why a request is answered with an error. Names, statuses and sections in `docs/errors.md` are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// No rule and no custom hostname serves the host.
    HostUnknown,
    /// The label in the environment's position is not an environment.
    EnvironmentUnknown,
    /// The Worker name is reserved or malformed.
    WorkerNameInvalid,
    /// The namespace has no such Worker.
    WorkerNotDeployed,
    /// The user Worker threw an error.
    WorkerFailed,
    /// The user Worker exceeded its CPU time or its subrequests.
    WorkerLimitExceeded,
    /// A binding is missing, or the platform failed.
    DispatchUnavailable,
    /// The configuration, or the entry of a custom hostname, cannot be loaded.
    ConfigurationInvalid,
}

/// What a response says about a code.
struct Facts {
    name: &'static str,
    status: u16,
    title: &'static str,
    fix: &'static str,
    retry_after: Option<&'static str>,
}

impl Code {
    /// Every code, in the order of `docs/errors.md`.
    #[cfg(test)]
    pub const ALL: [Self; 8] = [
        Self::HostUnknown,
        Self::EnvironmentUnknown,
        Self::WorkerNameInvalid,
        Self::WorkerNotDeployed,
        Self::WorkerFailed,
        Self::WorkerLimitExceeded,
        Self::DispatchUnavailable,
        Self::ConfigurationInvalid,
    ];

    const fn facts(self) -> Facts {
        match self {
            Self::HostUnknown => Facts {
                name: "HOST_UNKNOWN",
                status: 404,
                title: "This address is not served",
                fix: "Check the spelling of the host. If it is your host, add a rule or a custom hostname for it.",
                retry_after: None,
            },
            Self::EnvironmentUnknown => Facts {
                name: "ENVIRONMENT_UNKNOWN",
                status: 404,
                title: "This environment does not exist",
                fix: "Check the spelling of the environment in the host, or leave it out to reach production.",
                retry_after: None,
            },
            Self::WorkerNameInvalid => Facts {
                name: "WORKER_NAME_INVALID",
                status: 404,
                title: "This is not a valid Worker name",
                fix: "Check the spelling of the host.",
                retry_after: None,
            },
            Self::WorkerNotDeployed => Facts {
                name: "WORKER_NOT_DEPLOYED",
                status: 404,
                title: "The Worker for this address is not deployed",
                fix: "Check the spelling of the host. If it is your Worker, deploy it to this environment.",
                retry_after: None,
            },
            Self::WorkerFailed => Facts {
                name: "WORKER_FAILED",
                status: 502,
                title: "The Worker for this address failed",
                fix: "Try again. If the error persists, send the request id to the operator of this site.",
                retry_after: None,
            },
            Self::WorkerLimitExceeded => Facts {
                name: "WORKER_LIMIT_EXCEEDED",
                status: 503,
                title: "The Worker for this address exceeded a limit",
                fix: "Try again with a smaller request. If the error persists, send the request id to the operator of \
                      this site.",
                retry_after: Some("1"),
            },
            Self::DispatchUnavailable => Facts {
                name: "DISPATCH_UNAVAILABLE",
                status: 503,
                title: "The platform cannot serve this address at the moment",
                fix: "Try again in a few seconds. If the error persists, send the request id to the operator of the \
                      platform.",
                retry_after: Some("5"),
            },
            Self::ConfigurationInvalid => Facts {
                name: "CONFIGURATION_INVALID",
                status: 500,
                title: "The platform is misconfigured",
                fix: "Send the request id to the operator of the platform: the log has the reason.",
                retry_after: None,
            },
        }
    }

    /// The name in the error table, in `X-Dispatch-Error` and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The HTTP status of the response.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.facts().status
    }

    /// What happened, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.facts().title
    }

    /// What the reader can do now.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        self.facts().fix
    }

    /// The value of `Retry-After`, in seconds, for an error that the same request may not meet again.
    #[must_use]
    pub const fn retry_after(self) -> Option<&'static str> {
        self.facts().retry_after
    }

    /// Whether the error is an expected refusal: the address leads to no Worker, and nothing failed. Scans of random hosts
    /// cause many of them, so the log has them only on request.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        self.status() == 404
    }

    /// The URL of the code's section in `docs/errors.md`, whose anchor is the name in lower case.
    #[must_use]
    pub fn page(self) -> String {
        [ERRORS_PAGE, "#", &self.name().to_ascii_lowercase()].concat()
    }
}

impl From<RefusalCode> for Code {
    fn from(code: RefusalCode) -> Self {
        match code {
            RefusalCode::HostUnknown => Self::HostUnknown,
            RefusalCode::EnvironmentUnknown => Self::EnvironmentUnknown,
            RefusalCode::WorkerNameInvalid => Self::WorkerNameInvalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/errors.md");
    const PART: &str = "## The dispatch Worker";

    /// The sections of the dispatch Worker whose heading is a code, with their text.
    fn sections() -> Vec<(&'static str, &'static str)> {
        let (_, part) = PAGE.split_once(PART).unwrap();
        let part = part.split("\n## ").next().unwrap();
        part.split("\n### ")
            .skip(1)
            .map(|section| section.split_once('\n').unwrap())
            .filter(|(heading, _)| !heading.contains(' '))
            .collect()
    }

    #[test]
    fn every_code_has_a_section_and_every_section_a_code() {
        let headings: Vec<_> = sections().into_iter().map(|(heading, _)| heading).collect();
        let names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(headings, names);
    }

    #[test]
    fn every_section_has_status_title_reason_and_fix() {
        for (code, (_, text)) in Code::ALL.into_iter().zip(sections()) {
            let status = format!("**{}**", code.status());
            for expected in [
                status.as_str(),
                code.title(),
                "**What you see.**",
                "**Why.**",
                "**What to do.**",
            ] {
                assert!(text.contains(expected), "{}: {expected}", code.name());
            }
        }
    }

    #[test]
    fn only_the_404s_are_expected_refusals() {
        let refusals: Vec<_> = Code::ALL.into_iter().filter(|code| code.is_refusal()).collect();
        assert_eq!(
            refusals,
            [
                Code::HostUnknown,
                Code::EnvironmentUnknown,
                Code::WorkerNameInvalid,
                Code::WorkerNotDeployed
            ]
        );
    }

    #[test]
    fn every_503_says_when_to_try_again() {
        for code in Code::ALL {
            assert_eq!(code.retry_after().is_some(), code.status() == 503, "{code:?}");
        }
    }

    #[test]
    fn the_page_is_the_section_of_the_code() {
        assert!(
            Code::WorkerFailed
                .page()
                .ends_with("/docs/errors.md#worker_failed")
        );
    }

    #[test]
    fn routing_and_errors_use_the_same_names() {
        for code in [
            RefusalCode::HostUnknown,
            RefusalCode::EnvironmentUnknown,
            RefusalCode::WorkerNameInvalid,
        ] {
            assert_eq!(Code::from(code).name(), code.as_str());
        }
    }
}
