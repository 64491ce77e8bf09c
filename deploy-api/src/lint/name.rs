use dotdo_names::{Environment, WorkerName};

use crate::{code::Code, problem::Problem};

/// Parses the name of a script as a Worker name that the dispatch Worker can route to.
///
/// # Errors
/// [`Code::EnvironmentSuffix`] if the name ends in an environment, as `wrangler --env` generates it;
/// [`Code::WorkerNameUnroutable`] if the name is not a valid Worker name.
pub fn routable(script: &str) -> Result<WorkerName, Problem> {
    if let Some((worker, environment)) = environment_suffix(script) {
        return Err(renamed_by_env(script, worker, environment));
    }
    WorkerName::parse(script).map_err(|reason| {
        Problem::new(
            Code::WorkerNameUnroutable,
            format!("No host can reach a Worker with the name \"{}\": {reason}.", printable(script)),
            "Change `name` in the wrangler configuration: use 1 to 63 characters of a-z, 0-9 and single hyphens. Labels \
             of environments and suffixes of the .do registry are reserved.",
        )
    })
}

/// The name of a script without the suffix that `--env` appends, and the environment of the suffix.
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
            "The name \"{script}\" is \"{worker}\" with the suffix that `wrangler --env {suffix}` adds. On this platform an \
             environment is a namespace, and a Worker has the same name in every namespace.",
        ),
        format!(
            "Add \"name\": \"{worker}\" to env.{suffix} of the wrangler configuration, or omit --env; then deploy with \
             `--dispatch-namespace {namespace}`.",
        ),
    )
}

/// The printable ASCII characters of a name, at most 80, for a message.
fn printable(script: &str) -> String {
    script.chars().filter(char::is_ascii_graphic).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routable_names_are_accepted() {
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
    fn unroutable_names_are_rejected_with_the_reason() {
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
    fn a_name_with_the_suffix_of_env_is_rejected_with_the_line_to_add() {
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
    fn control_characters_of_a_name_are_not_in_the_message() {
        let problem = routable("a\u{1b}[31m\nb").unwrap_err();
        assert!(!problem.detail.contains('\u{1b}') && !problem.detail.contains('\n'));
    }
}
