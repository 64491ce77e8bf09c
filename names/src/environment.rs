use std::fmt;

use crate::account;

/// One of the three environments. Each is one dispatch namespace of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Environment {
    /// Hosts without an environment label: what end users reach.
    Production,
    /// The label `staging`.
    Staging,
    /// The labels `dev` and `development`.
    Development,
}

impl Environment {
    /// Every environment, production first.
    pub const ALL: [Self; 3] = [Self::Production, Self::Staging, Self::Development];

    /// The name in rules and messages: `production`, `staging` or `development`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }

    /// The name of the dispatch namespace in the account, from `dotdo.jsonc`.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        self.name_and_id().0
    }

    /// The id of the dispatch namespace, a UUID that Cloudflare assigns, from `dotdo.jsonc`.
    #[must_use]
    pub const fn namespace_id(self) -> &'static str {
        self.name_and_id().1
    }

    const fn name_and_id(self) -> (&'static str, &'static str) {
        match self {
            Self::Production => account::PRODUCTION,
            Self::Staging => account::STAGING,
            Self::Development => account::DEVELOPMENT,
        }
    }

    /// The name of the dispatch Worker's binding to the namespace.
    #[must_use]
    pub const fn binding(self) -> &'static str {
        match self {
            Self::Production => "DISPATCHER_PRODUCTION",
            Self::Staging => "DISPATCHER_STAGING",
            Self::Development => "DISPATCHER_DEVELOPMENT",
        }
    }

    /// The host labels that select the environment, the preferred one first. Production has none.
    #[must_use]
    pub const fn host_labels(self) -> &'static [&'static str] {
        match self {
            Self::Production => &[],
            Self::Staging => &["staging"],
            Self::Development => &["dev", "development"],
        }
    }

    /// The environment that a host label selects; `None` for any other label. `label` must be in lower case.
    #[must_use]
    pub fn from_host_label(label: &str) -> Option<Self> {
        match label {
            "staging" => Some(Self::Staging),
            "dev" | "development" => Some(Self::Development),
            _ => None,
        }
    }

    /// The environment with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.name() == name)
    }

    /// The environment with this [`namespace`](Self::namespace).
    #[must_use]
    pub fn from_namespace(namespace: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.namespace() == namespace)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_environment_by_its_names() {
        for environment in Environment::ALL {
            assert_eq!(Environment::from_name(environment.name()), Some(environment));
            assert_eq!(
                Environment::from_namespace(environment.namespace()),
                Some(environment)
            );
            for label in environment.host_labels() {
                assert_eq!(Environment::from_host_label(label), Some(environment), "{label}");
            }
        }
    }

    #[test]
    fn production_has_no_host_label() {
        for label in ["production", "prod", "", "Staging", "staging2"] {
            assert_eq!(Environment::from_host_label(label), None, "{label}");
        }
    }
}
