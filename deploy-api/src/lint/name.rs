use dotdo_names::{Environment, WorkerName};

use crate::{code::Code, problem::Problem};

/// A script's name as a Worker that some host can reach.
///
/// # Errors
/// [`Code::WorkerNameUnroutable`] where the dispatch Worker would refuse the name, [`Code::EnvironmentSuffix`] where it
/// ends as `wrangler --env` leaves it.
pub fn routable(script: &str) -> Result<WorkerName, Problem> {
    if let Some((worker, environment)) = environment_suffix(script) {
        return Err(renamed_by_env(script, worker, environment));
    }
    WorkerName::parse(script).map_err(|reason| {
        Problem::new(
            Code::WorkerNameUnroutable,
            format!("No host could ever reach a Worker named \"{}\": {reason}.", shown(script)),
            "Change `name` in the wrangler configuration to 1 to 63 characters of a-z, 0-9 and single hyphens, which is \
             not an environment's label and not a suffix of the .do registry.",
        )
    })
}

/// What a script's name was before `--env` appended the environment, and which environment that was.
fn environment_suffix(script: &str) -> Option<(&str, Environment)> {
    Environment::ALL.into_iter().find_map(|environment| {
        let labels = environment.host_labels().iter().copied();
        std::iter::once(environment.name())
            .chain(labels)
            .find_map(|label| {
                let worker = script.strip_suffix(label)?.strip_suffix('-')?;
                WorkerName::check(worker).is_ok().then_some((worker, environment))
            })
    })
}

fn renamed_by_env(script: &str, worker: &str, environment: Environment) -> Problem {
    let suffix = script
        .strip_prefix(worker)
        .map_or("", |rest| rest.trim_start_matches('-'));
    let namespace = environment.namespace();
    Problem::new(
        Code::EnvironmentSuffix,
        format!(
            "\"{script}\" is \"{worker}\" renamed for an environment, as `wrangler --env {suffix}` does. Here an \
             environment is a namespace, and the Worker has the same name in each.",
        ),
        format!(
            "Keep the name: add \"name\": \"{worker}\" to env.{suffix} of the wrangler configuration, or leave --env out; \
             then deploy with `--dispatch-namespace {namespace}`.",
        ),
    )
}

/// A name as it may stand in a message: what is no printable ASCII, or beyond 80 characters, is not repeated.
fn shown(script: &str) -> String {
    script.chars().filter(char::is_ascii_graphic).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_host_reaches_pass() {
        for name in [
            "agents",
            "my-app",
            "staging-tools",
            "development2",
            "dev-tools",
            "a-prod",
        ] {
            assert_eq!(
                routable(name).map(|worker| worker.to_string()),
                Ok(name.to_owned())
            );
        }
    }

    #[test]
    fn names_that_no_host_reaches_are_refused_with_the_reason() {
        let long = "a".repeat(64);
        for (name, reason) in [
            ("staging", "select an environment"),
            ("a--b", "'--'"),
            (long.as_str(), "63"),
            ("com", ".do registry"),
            ("My_Worker", "a-z, 0-9"),
            ("", "empty"),
        ] {
            let problem = routable(name).unwrap_err();
            assert_eq!(problem.code, Code::WorkerNameUnroutable, "{name}");
            assert!(problem.detail.contains(reason), "{name}: {}", problem.detail);
        }
    }

    #[test]
    fn a_name_that_env_made_is_refused_with_the_line_to_add() {
        for (script, key, namespace) in [
            ("api-staging", "\"name\": \"api\" to env.staging", "dotdo-staging"),
            ("api-dev", "\"name\": \"api\" to env.dev", "dotdo-development"),
            (
                "api-development",
                "\"name\": \"api\" to env.development",
                "dotdo-development",
            ),
            (
                "api-production",
                "\"name\": \"api\" to env.production",
                "dotdo-production",
            ),
        ] {
            let problem = routable(script).unwrap_err();
            assert_eq!(problem.code, Code::EnvironmentSuffix, "{script}");
            assert!(problem.fix.contains(key), "{script}: {}", problem.fix);
            assert!(problem.fix.contains(namespace), "{script}: {}", problem.fix);
        }
    }

    #[test]
    fn a_hostile_name_is_not_echoed() {
        let problem = routable("a\u{1b}[31m\nb").unwrap_err();
        assert!(!problem.detail.contains('\u{1b}') && !problem.detail.contains('\n'));
    }
}
