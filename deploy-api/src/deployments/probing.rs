use dotdo_names::{Environment, WorkerName};

use super::Probe;
use crate::engine::Outside;
use crate::probe::DispatcherAnswer;
use crate::target::Target;

/// How often a probe is tried: a deployment takes a moment to reach every machine.
const TRIES: u32 = 3;

/// How long to wait before a probe is tried again.
const PAUSE_MILLISECONDS: u32 = 1000;

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probed {
    /// Whether it was answered as expected.
    pub passed: bool,
    /// What came instead, in a few words; empty when it passed.
    pub found: String,
}

/// The host under which the dispatch Worker serves a Worker, by its built-in rules.
pub(crate) fn host(target: &Target) -> String {
    host_of(target.environment, &target.worker)
}

fn host_of(environment: Environment, worker: &WorkerName) -> String {
    match environment.host_labels().first() {
        Some(label) => format!("{label}.{worker}.do"),
        None => format!("{worker}.do"),
    }
}

/// Asks a Worker through the dispatch Worker, a few times until it answers as expected.
pub(crate) async fn probe(outside: &impl Outside, target: &Target, probe: &Probe) -> Probed {
    let mut found = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            outside.pause(PAUSE_MILLISECONDS).await;
        }
        found = match outside.request(&host(target), &probe.path).await {
            Ok(DispatcherAnswer { status, error: None }) if status == probe.expect => {
                return Probed {
                    passed: true,
                    found: String::new(),
                };
            }
            Ok(DispatcherAnswer { status, error }) => match error {
                Some(error) => format!("status {status} ({error}) from the dispatch Worker"),
                None => format!("status {status}"),
            },
            Err(failure) => failure.to_string(),
        };
    }
    Probed { passed: false, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_that_of_the_routing_table() {
        let worker = WorkerName::parse("agents").unwrap();
        for (environment, expected) in [
            (Environment::Production, "agents.do"),
            (Environment::Staging, "staging.agents.do"),
            (Environment::Development, "dev.agents.do"),
        ] {
            assert_eq!(host_of(environment, &worker), expected);
        }
    }
}
