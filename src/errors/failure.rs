use dotdo_names::Environment;

use super::classification::{PlatformError, classify};
use super::code::Code;
use crate::routing::Refusal;

/// An error that the dispatch Worker answers with, instead of a user Worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code of the error table.
    pub code: Code,
    /// A sentence for the client about this request. It never says what exists and never has a user Worker's message.
    pub detail: String,
    /// The cause, for the log only: it may have a user Worker's message.
    pub cause: String,
    /// Where the request was to go, for the log only.
    pub target: Target,
}

/// Where a request goes, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The environment.
    pub environment: Option<Environment>,
    /// The Worker name.
    pub worker: Option<String>,
    /// The rule that matched, or that nearly matched; `HOSTNAMES` for a custom hostname.
    pub rule: Option<String>,
}

impl Failure {
    /// Routing refused the request.
    #[must_use]
    pub fn from_refusal(refusal: &Refusal<'_>) -> Self {
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

    /// The configuration, or the entry of a custom hostname, cannot be loaded.
    #[must_use]
    pub fn misconfigured(cause: String) -> Self {
        Self {
            code: Code::ConfigurationInvalid,
            detail: "The configuration that decides where this request goes cannot be loaded.".to_owned(),
            cause,
            target: Target::default(),
        }
    }

    /// The platform or the dispatch Worker failed before the request reached a user Worker.
    #[must_use]
    pub fn unavailable(cause: String, target: Target) -> Self {
        Self {
            code: Code::DispatchUnavailable,
            detail: "The request did not reach a Worker.".to_owned(),
            cause,
            target,
        }
    }

    /// The namespace's `get` threw, or its promise was rejected: the Worker is not deployed, or the platform failed.
    #[must_use]
    pub fn from_get_error(message: &str, target: Target) -> Self {
        match classify(message) {
            Some(PlatformError::WorkerNotFound) => Self::from_fetch_error(message, target),
            Some(PlatformError::NotRemote) => Self {
                detail: "`wrangler dev` reaches only the development namespace. `npm run dev` runs all three namespaces on \
                         this machine, without an account."
                    .to_owned(),
                ..Self::unavailable(message.to_owned(), target)
            },
            _ => Self::unavailable(format!("get threw: {message}"), target),
        }
    }

    /// The user Worker's `fetch` rejected.
    #[must_use]
    pub fn from_fetch_error(message: &str, target: Target) -> Self {
        let code = match classify(message) {
            Some(PlatformError::WorkerNotFound) => Code::WorkerNotDeployed,
            Some(PlatformError::LimitExceeded) => Code::WorkerLimitExceeded,
            Some(PlatformError::Internal) => return Self::unavailable(message.to_owned(), target),
            // Only a binding, and never a user Worker, is `NotRemote`.
            Some(PlatformError::NotRemote) | None => Code::WorkerFailed,
        };
        Self {
            code,
            detail: detail(code, target.environment),
            cause: message.to_owned(),
            target,
        }
    }

    /// A request or a call through a service binding failed because the Worker of the namespace is not deployed; `None` if it failed for
    /// another reason. The caller gets the error itself then, as from a Worker of the account.
    #[must_use]
    pub fn from_service_error(message: &str, target: Target) -> Option<Self> {
        (classify(message) == Some(PlatformError::WorkerNotFound)).then(|| {
            let worker = target.worker.as_deref().unwrap_or("of the service binding");
            let environment = target.environment.map_or("this environment", Environment::name);
            Self {
                detail: format!("The Worker {worker} is not deployed in {environment}."),
                ..Self::from_fetch_error(message, target)
            }
        })
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
        _ => "The Worker threw an error instead of a response.".to_owned(),
    }
}

/// A reason as a sentence: with a capital letter and a full stop.
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

    fn from_fetch_error(message: &str) -> Failure {
        let target = Target {
            environment: Some(Environment::Staging),
            ..Target::default()
        };
        Failure::from_fetch_error(message, target)
    }

    #[test]
    fn each_cause_of_a_rejected_fetch_has_its_code() {
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
            assert_eq!(from_fetch_error(message).code, code, "{message}");
        }
    }

    #[test]
    fn a_failed_get_is_a_platform_failure_unless_the_worker_is_missing() {
        for (message, code) in [
            ("Worker not found.", Code::WorkerNotDeployed),
            ("CPU time limit", Code::DispatchUnavailable),
            ("get is not a function", Code::DispatchUnavailable),
        ] {
            let failure = Failure::from_get_error(message, Target::default());
            assert_eq!(failure.code, code, "{message}");
        }
    }

    #[test]
    fn a_namespace_that_wrangler_dev_does_not_reach_names_npm_run_dev() {
        let message = "Binding DISPATCHER_STAGING needs to be run remotely";
        let failure = Failure::from_get_error(message, Target::default());
        assert_eq!(failure.code, Code::DispatchUnavailable);
        assert!(failure.detail.contains("npm run dev"), "{}", failure.detail);
        assert_eq!(from_fetch_error(message).code, Code::WorkerFailed);
    }

    #[test]
    fn the_message_of_a_worker_is_for_the_log_only() {
        let failure = from_fetch_error("password=hunter2");
        assert_eq!(failure.cause, "password=hunter2");
        assert!(!failure.detail.contains("hunter2"));
    }

    #[test]
    fn a_missing_worker_names_the_environment() {
        let failure = from_fetch_error("Worker not found.");
        assert!(failure.detail.contains("staging"), "{}", failure.detail);
    }

    #[test]
    fn a_service_binding_names_its_missing_worker_and_passes_other_errors_on() {
        let of = |message: &str| {
            let target = Target {
                environment: Some(Environment::Staging),
                worker: Some("auth".to_owned()),
                rule: None,
            };
            Failure::from_service_error(message, target)
        };
        let missing = of("Worker not found.").unwrap();
        assert_eq!(missing.code, Code::WorkerNotDeployed);
        assert_eq!(missing.detail, "The Worker auth is not deployed in staging.");
        for message in ["boom", "Worker exceeded CPU time limit.", "internal error"] {
            assert_eq!(of(message), None, "{message}");
        }
    }

    #[test]
    fn the_detail_of_a_refusal_is_a_sentence() {
        let router = Router::builtin(Localhost::Unserved);
        let failure = Failure::from_refusal(&router.route("https://example.com/").unwrap_err());
        assert_eq!(failure.code, Code::HostUnknown);
        assert!(
            failure
                .detail
                .starts_with(|first: char| first.is_ascii_uppercase())
        );
        assert!(failure.detail.ends_with('.'), "{}", failure.detail);
    }
}
