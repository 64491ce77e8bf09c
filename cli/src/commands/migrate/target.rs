//! The name and the environment of an account Worker in the platform.

use dotdo_names::{Environment, WorkerName};

/// Where an account Worker moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveTarget {
    /// The environment.
    pub environment: Environment,
    /// The name, which may not be valid.
    pub name: String,
    /// Whether the name differs from the account's in more than the suffix of the environment.
    pub is_renamed: bool,
}

/// The suffixes by which wrangler's `--env` and people name the environment of an account Worker.
const SUFFIXES: [(&str, Environment); 5] = [
    ("-staging", Environment::Staging),
    ("-development", Environment::Development),
    ("-dev", Environment::Development),
    ("-production", Environment::Production),
    ("-prod", Environment::Production),
];

/// Where a Worker moves: `api-staging` becomes `api` in staging, and other names stay in `default`. Names that no host can reach become
/// ones that differ as little as possible.
pub fn target_of(name: &str, default: Environment) -> MoveTarget {
    let lower = name.to_ascii_lowercase();
    for (suffix, environment) in SUFFIXES {
        if let Some(base) = lower.strip_suffix(suffix).filter(|base| !base.is_empty()) {
            return MoveTarget::of(environment, base, name.get(..base.len()).unwrap_or_default());
        }
    }
    MoveTarget::of(default, &lower, name)
}

impl MoveTarget {
    fn of(environment: Environment, lower: &str, original: &str) -> Self {
        let name = reachable(lower);
        Self {
            environment,
            is_renamed: name != original,
            name,
        }
    }
}

/// The name with hyphens in place of other characters, if that makes it valid.
fn reachable(name: &str) -> String {
    if WorkerName::parse(name).is_ok() {
        return name.to_owned();
    }
    let words: Vec<&str> = name.split(['_', '-']).filter(|word| !word.is_empty()).collect();
    let changed = words.join("-");
    if WorkerName::parse(&changed).is_ok() {
        changed
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_an_environment_and_a_name_becomes_reachable() {
        for (name, environment, expected) in [
            ("api", Environment::Production, "api"),
            ("api-staging", Environment::Staging, "api"),
            ("api-dev", Environment::Development, "api"),
            ("api-development", Environment::Development, "api"),
            ("api-prod", Environment::Production, "api"),
            ("my_worker", Environment::Production, "my-worker"),
            ("My__Worker-staging", Environment::Staging, "my-worker"),
            ("-staging", Environment::Production, "-staging"),
            ("staging", Environment::Production, "staging"),
            ("webstaging", Environment::Production, "webstaging"),
            ("com", Environment::Production, "com"),
        ] {
            let target = target_of(name, Environment::Production);
            assert_eq!(
                (target.environment, target.name.as_str()),
                (environment, expected),
                "{name}"
            );
        }
        assert_eq!(
            target_of("api", Environment::Staging).environment,
            Environment::Staging
        );
    }
}
