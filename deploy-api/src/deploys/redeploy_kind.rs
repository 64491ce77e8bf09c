use crate::deployments::Deployment;
use crate::target::Target;
use crate::upload::Metadata;

/// Whether an earlier deployment is deployed to its own Worker, to another namespace, or to a preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RedeployKind {
    /// An earlier deployment of the Worker itself.
    Rollback,
    /// A deployment of the Worker in another namespace.
    Promotion,
    /// A deployment of another Worker, which the target previews.
    Preview {
        /// That Worker in development.
        previewed: Target,
    },
}

impl RedeployKind {
    /// What a deployment of `source` to `target` is.
    pub fn of(source: &Deployment, target: &Target) -> Self {
        if source.target == *target {
            Self::Rollback
        } else if source.target.worker == target.worker {
            Self::Promotion
        } else {
            Self::Preview {
                previewed: Target {
                    namespace: target.namespace,
                    worker: source.target.worker.clone(),
                },
            }
        }
    }

    /// Whether the settings of the target matter: its values, its secrets, or its bindings in place of those that are not known.
    pub fn needs_settings(&self, source: &Metadata) -> bool {
        *self != Self::Rollback
            || source.bindings().any(|binding| binding.is_secret())
            || !source.unresolved().is_empty()
    }

    /// The Worker whose variables and resources the deployment gets.
    pub const fn holder<'a>(&'a self, target: &'a Target) -> &'a Target {
        match self {
            Self::Preview { previewed } => previewed,
            Self::Rollback | Self::Promotion => target,
        }
    }

    /// What it is called in errors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Promotion => "promotion",
            Self::Preview { .. } => "preview",
        }
    }
}
