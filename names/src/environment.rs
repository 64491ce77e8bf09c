use std::fmt;

/// One of the three environments, each of which is one dispatch namespace of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Environment {
    /// What end users reach: hosts without an environment label.
    Production,
    /// The label `staging`.
    Staging,
    /// The labels `dev` and `development`.
    Development,
}

impl Environment {
    /// Every environment, production first.
    pub const ALL: [Self; 3] = [Self::Production, Self::Staging, Self::Development];

    /// The name that people and rules use: `production`, `staging` or `development`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }

    /// The dispatch namespace's name in the account.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Production => "dotdo-production",
            Self::Staging => "dotdo-staging",
            Self::Development => "dotdo-development",
        }
    }

    /// The dispatch namespace's id, a UUID assigned by Cloudflare.
    #[must_use]
    pub const fn namespace_id(self) -> &'static str {
        match self {
            Self::Production => "62ce3520-96e8-4d9d-a37d-83e99d5319ab",
            Self::Staging => "6eb2b6e7-5e8c-4ce6-bb63-7185e2dadc0e",
            Self::Development => "c1a5acfb-fc81-43fc-8d99-8856c6a45c4a",
        }
    }

    /// The binding under which the dispatch Worker holds the namespace.
    #[must_use]
    pub const fn binding(self) -> &'static str {
        match self {
            Self::Production => "DISPATCHER_PRODUCTION",
            Self::Staging => "DISPATCHER_STAGING",
            Self::Development => "DISPATCHER_DEVELOPMENT",
        }
    }

    /// The host labels that select the environment; the first is the one to write. Production has none.
    #[must_use]
    pub const fn host_labels(self) -> &'static [&'static str] {
        match self {
            Self::Production => &[],
            Self::Staging => &["staging"],
            Self::Development => &["dev", "development"],
        }
    }

    /// The environment that a host label selects, if it is one. `label` is expected in lower case.
    #[must_use]
    pub fn from_host_label(label: &str) -> Option<Self> {
        match label {
            "staging" => Some(Self::Staging),
            "dev" | "development" => Some(Self::Development),
            _ => None,
        }
    }

    /// The environment of that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.name() == name)
    }

    /// The environment of that [`namespace`](Self::namespace).
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
    fn every_environment_is_found_by_its_own_names() {
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
