use dotdo_names::Environment;

use crate::code::Code;
use crate::destination::Destination;
use crate::platform_error::{PlatformError, classify};
use crate::routing::Refusal;

/// A request that no user Worker answered: what its client is told, and what the log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub code: Code,
    /// What exactly, in one sentence. It speaks of the request alone: never of what exists, and never in a user
    /// Worker's words.
    pub detail: String,
    /// What went wrong inside. For the log: it may hold a user Worker's words.
    pub cause: String,
    /// Where the request was to go, as far as that was known. For the log.
    pub target: Target,
}

/// Where a failed request was to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The environment.
    pub environment: Option<Environment>,
    /// The Worker.
    pub worker: Option<String>,
    /// The rule that decided, or that nearly matched.
    pub rule: Option<String>,
}

impl Failure {
    /// No rule, environment or name fits, nor any custom hostname.
    #[must_use]
    pub fn refused(refusal: &Refusal<'_>) -> Self {
        let reason = refusal.reason().to_string();
        Self {
            code: refusal.code().into(),
            detail: sentence(&reason),
            cause: reason,
            target: Target {
                rule: refusal.rule().map(ToString::to_string),
                ..Target::default()
            },
        }
    }

    /// The configuration, or one custom hostname's, cannot be loaded.
    #[must_use]
    pub fn misconfigured(cause: String) -> Self {
        Self {
            code: Code::ConfigurationInvalid,
            detail: "The configuration that says where this request goes cannot be loaded.".to_owned(),
            cause,
            target: Target::default(),
        }
    }

    /// The platform failed before any user Worker was reached, or the dispatch Worker itself did.
    #[must_use]
    pub fn unavailable(cause: String, target: Target) -> Self {
        Self {
            code: Code::DispatchUnavailable,
            detail: "The request did not reach a Worker.".to_owned(),
            cause,
            target,
        }
    }

    /// The namespace's `get` threw, or its promise was rejected: a Worker is not there, or the platform failed.
    #[must_use]
    pub fn of_get(message: &str, destination: &Destination<'_>) -> Self {
        match classify(message) {
            Some(PlatformError::WorkerNotFound) => Self::of_fetch(message, Some(destination)),
            _ => Self::unavailable(format!("get threw: {message}"), Target::of(destination)),
        }
    }

    /// The user Worker's `fetch` was rejected. `destination` is none where it is no longer known.
    #[must_use]
    pub fn of_fetch(message: &str, destination: Option<&Destination<'_>>) -> Self {
        let target = destination.map(Target::of).unwrap_or_default();
        let code = match classify(message) {
            Some(PlatformError::WorkerNotFound) => Code::WorkerNotDeployed,
            Some(PlatformError::LimitExceeded) => Code::WorkerLimitExceeded,
            Some(PlatformError::Internal) => return Self::unavailable(message.to_owned(), target),
            None => Code::WorkerFailed,
        };
        Self {
            code,
            detail: detail(code, target.environment),
            cause: message.to_owned(),
            target,
        }
    }
}

impl Target {
    /// Where a request was to go that had a destination.
    #[must_use]
    pub fn of(destination: &Destination<'_>) -> Self {
        Self {
            environment: Some(destination.environment()),
            worker: Some(destination.worker().to_owned()),
            rule: Some(destination.origin()),
        }
    }
}

fn detail(code: Code, environment: Option<Environment>) -> String {
    let environment = environment.map_or("this environment", Environment::name);
    match code {
        Code::WorkerNotDeployed => {
            format!("This address leads to a Worker that is not deployed in {environment}.")
        }
        Code::WorkerLimitExceeded => {
            "The Worker used more CPU time, or made more subrequests, than one request may.".to_owned()
        }
        _ => "The Worker threw an error in place of an answer.".to_owned(),
    }
}

/// A reason as a sentence of its own.
fn sentence(reason: &str) -> String {
    let mut sentence = [reason, "."].concat();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::{Localhost, Router};

    fn of_fetch(message: &str) -> Failure {
        let router = Router::builtin(Localhost::Unserved);
        let route = router.route("https://staging.agents.do/").unwrap();
        Failure::of_fetch(message, Some(&Destination::Route(route)))
    }

    #[test]
    fn a_rejected_fetch_has_one_code_for_each_cause() {
        for (message, code) in [
            ("Worker not found.", Code::WorkerNotDeployed),
            ("Worker exceeded CPU time limit.", Code::WorkerLimitExceeded),
            (
                "Too many subrequests by single Worker invocation.",
                Code::WorkerLimitExceeded,
            ),
            ("internal error; reference = x", Code::DispatchUnavailable),
            ("boom", Code::WorkerFailed),
            ("", Code::WorkerFailed),
        ] {
            assert_eq!(of_fetch(message).code, code, "{message}");
        }
    }

    #[test]
    fn a_failed_get_is_the_platforms_unless_there_is_no_such_worker() {
        let router = Router::builtin(Localhost::Unserved);
        let destination = Destination::Route(router.route("https://agents.do/").unwrap());
        for (message, code) in [
            ("Worker not found.", Code::WorkerNotDeployed),
            ("CPU time limit", Code::DispatchUnavailable),
            ("get is not a function", Code::DispatchUnavailable),
        ] {
            assert_eq!(Failure::of_get(message, &destination).code, code, "{message}");
        }
    }

    #[test]
    fn a_workers_words_reach_the_log_but_never_the_client() {
        let failure = of_fetch("password=hunter2");
        assert_eq!(failure.cause, "password=hunter2");
        assert!(!failure.detail.contains("hunter2"));
    }

    #[test]
    fn the_log_learns_where_the_request_was_to_go() {
        let target = of_fetch("boom").target;
        assert_eq!(target.environment, Some(Environment::Staging));
        assert_eq!(target.worker.as_deref(), Some("agents"));
        assert_eq!(target.rule.as_deref(), Some("built-in `{env}.{worker}.do`"));
    }

    #[test]
    fn a_refusal_is_told_in_a_sentence() {
        let router = Router::builtin(Localhost::Unserved);
        let failure = Failure::refused(&router.route("https://example.com/").unwrap_err());
        assert_eq!(failure.code, Code::HostUnknown);
        assert_eq!(failure.detail, "No rule serves this host.");
    }
}
