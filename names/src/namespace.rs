use std::fmt;

use crate::{Environment, account};

/// The Workers of the platform itself, which are Workers of the account: the dispatch Worker, the deploy API and the logs Worker.
pub const PLATFORM_WORKERS: [&str; 3] = [
    account::DISPATCH_WORKER,
    account::DEPLOY_API_WORKER,
    account::LOGS_WORKER,
];

/// Where a Worker is deployed: in the dispatch namespace of an environment, or in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespace {
    /// The dispatch namespace of an environment.
    Of(Environment),
    /// The account, which has the [`PLATFORM_WORKERS`].
    Account,
}

impl Namespace {
    /// Every namespace: those of the environments, production first, and then the account.
    pub const ALL: [Self; 4] = [
        Self::Of(Environment::Production),
        Self::Of(Environment::Staging),
        Self::Of(Environment::Development),
        Self::Account,
    ];

    /// The name of the account in the place of a namespace: in policies, paths and records. `dotdo.jsonc` gives it to no namespace.
    pub const ACCOUNT: &'static str = "account";

    /// The name in policies, paths and records: that of the dispatch namespace, or [`ACCOUNT`](Self::ACCOUNT).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Of(environment) => environment.namespace(),
            Self::Account => Self::ACCOUNT,
        }
    }

    /// The short name in messages and options: that of the environment, or [`ACCOUNT`](Self::ACCOUNT).
    #[must_use]
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Of(environment) => environment.name(),
            Self::Account => Self::ACCOUNT,
        }
    }

    /// The namespace with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|namespace| namespace.name() == name)
    }

    /// The environment; `None` for the account.
    #[must_use]
    pub const fn environment(self) -> Option<Environment> {
        match self {
            Self::Of(environment) => Some(environment),
            Self::Account => None,
        }
    }

    /// Whether a change of its Workers reaches end users: in production, and in the account, whose Workers serve every environment.
    #[must_use]
    pub const fn is_production(self) -> bool {
        matches!(self, Self::Of(Environment::Production) | Self::Account)
    }

    /// Whether it can have a Worker of this name. The account has only the [`PLATFORM_WORKERS`].
    #[must_use]
    pub fn can_have(self, worker: &str) -> bool {
        match self {
            Self::Of(_) => true,
            Self::Account => PLATFORM_WORKERS.contains(&worker),
        }
    }
}

impl From<Environment> for Namespace {
    fn from(environment: Environment) -> Self {
        Self::Of(environment)
    }
}

/// Formats the [`short_name`](Namespace::short_name), as an environment does.
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_namespace_by_its_name() {
        for namespace in Namespace::ALL {
            assert_eq!(Namespace::from_name(namespace.name()), Some(namespace));
        }
        for environment in Environment::ALL {
            assert_eq!(
                Namespace::from_name(environment.namespace()),
                Some(environment.into())
            );
        }
        assert_eq!(Namespace::from_name("production"), None);
    }

    #[test]
    fn the_account_has_only_the_workers_of_the_platform() {
        for worker in PLATFORM_WORKERS {
            assert!(Namespace::Account.can_have(worker), "{worker}");
            assert_eq!(crate::WorkerName::check(worker), Ok(()), "{worker}");
        }
        assert!(!Namespace::Account.can_have("agents"));
        assert!(Namespace::Of(Environment::Staging).can_have("agents"));
    }
}
