//! Every way in which a request can fail before or in place of a user Worker's answer.

use dotdo_names::ERRORS_PAGE;

use crate::routing::RefusalCode;

/// What went wrong. Its name, status and section in `docs/errors.md` are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// No rule and no custom hostname serves the host.
    HostUnknown,
    /// The label where an environment stands is none.
    EnvironmentUnknown,
    /// The Worker's name is reserved or malformed.
    WorkerNameInvalid,
    /// The namespace has no such Worker.
    WorkerNotDeployed,
    /// The user Worker threw.
    WorkerFailed,
    /// The user Worker used up its CPU time or its subrequests.
    WorkerLimitExceeded,
    /// The binding is missing, or the platform failed.
    DispatchUnavailable,
    /// The configuration, or one custom hostname's, cannot be loaded.
    ConfigurationInvalid,
}

struct Facts {
    name: &'static str,
    status: u16,
    title: &'static str,
    fix: &'static str,
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
                title: "Nothing is served at this address",
                fix: "Check the spelling of the host. If it is yours, a rule or a custom hostname has to name it.",
            },
            Self::EnvironmentUnknown => Facts {
                name: "ENVIRONMENT_UNKNOWN",
                status: 404,
                title: "There is no such environment",
                fix: "Check the spelling of the environment in the host, or leave it out to reach production.",
            },
            Self::WorkerNameInvalid => Facts {
                name: "WORKER_NAME_INVALID",
                status: 404,
                title: "This is no Worker's name",
                fix: "Check the spelling of the host.",
            },
            Self::WorkerNotDeployed => Facts {
                name: "WORKER_NOT_DEPLOYED",
                status: 404,
                title: "Nothing is deployed here yet",
                fix: "Check the spelling of the host. If it is yours, deploy the Worker to this environment.",
            },
            Self::WorkerFailed => Facts {
                name: "WORKER_FAILED",
                status: 502,
                title: "The Worker behind this address failed",
                fix: "Try again. If it goes on, give the request id to whoever runs this site.",
            },
            Self::WorkerLimitExceeded => Facts {
                name: "WORKER_LIMIT_EXCEEDED",
                status: 503,
                title: "The Worker behind this address reached a limit",
                fix: "Try again with less to do. If it goes on, give the request id to whoever runs this site.",
            },
            Self::DispatchUnavailable => Facts {
                name: "DISPATCH_UNAVAILABLE",
                status: 503,
                title: "The platform cannot serve this address right now",
                fix: "Try again in a minute. If it goes on, give the request id to whoever runs the platform.",
            },
            Self::ConfigurationInvalid => Facts {
                name: "CONFIGURATION_INVALID",
                status: 500,
                title: "The platform is misconfigured",
                fix: "Whoever runs the platform finds the reason in its log, under the request id.",
            },
        }
    }

    /// As the error table, `X-Dispatch-Error` and the log write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The HTTP status of the answer.
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

    /// The section of `docs/errors.md`: its anchor is the heading in lower case.
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

    const PAGE: &str = include_str!("../docs/errors.md");
    const PART: &str = "## The dispatch Worker";

    /// The sections of this Worker's part of the page that have a code for a heading, each with its text.
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
    fn every_section_says_status_title_cause_and_cure() {
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
    fn a_page_is_the_sections_own() {
        assert!(
            Code::WorkerFailed
                .page()
                .ends_with("/docs/errors.md#worker_failed")
        );
    }

    #[test]
    fn routing_uses_the_same_names() {
        for code in [
            RefusalCode::HostUnknown,
            RefusalCode::EnvironmentUnknown,
            RefusalCode::WorkerNameInvalid,
        ] {
            assert_eq!(Code::from(code).name(), code.as_str());
        }
    }
}
