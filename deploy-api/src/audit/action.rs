use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema::name_schema;

/// What was done or requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A credential was checked. Recorded only if it was rejected.
    Authenticate,
    /// Something was read. Recorded only if it was denied.
    Read,
    /// A Worker was uploaded.
    Deploy,
    /// An upload session of static assets was opened, for a deploy that follows.
    AssetSession,
    /// Static assets were uploaded. Only earlier versions recorded this.
    AssetUpload,
    /// A Worker was deleted.
    Delete,
    /// A secret of a Worker was set.
    SecretPut,
    /// A secret of a Worker was removed.
    SecretDelete,
    /// Several secrets of a Worker were set or removed in one call.
    SecretsBulk,
    /// A Worker's tags or settings were changed.
    SettingsChange,
    /// An earlier deployment was deployed again.
    Rollback,
    /// A deployment of another namespace was deployed.
    Promote,
    /// An earlier deployment was deployed to a preview.
    Preview,
    /// A Worker of the account was deployed to a namespace.
    Import,
    /// A change that was made outside of the deploy API was found.
    Drift,
    /// A change that was made outside of the deploy API was recorded as a deployment.
    Adopt,
    /// A Worker or a namespace was locked.
    Lock,
    /// A lock was removed.
    Unlock,
    /// A Worker was requested through the dispatch Worker.
    Verify,
    /// An OIDC token was exchanged for a deploy token.
    TokenExchange,
    /// An API token was created.
    TokenCreate,
    /// A token was revoked.
    TokenRevoke,
    /// The policy was replaced.
    PolicyChange,
    /// An administrator recorded a change that was made without the deploy API.
    BreakGlass,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 24] = [
        Self::Authenticate,
        Self::Read,
        Self::Deploy,
        Self::AssetSession,
        Self::AssetUpload,
        Self::Delete,
        Self::SecretPut,
        Self::SecretDelete,
        Self::SecretsBulk,
        Self::SettingsChange,
        Self::Rollback,
        Self::Promote,
        Self::Preview,
        Self::Import,
        Self::Drift,
        Self::Adopt,
        Self::Lock,
        Self::Unlock,
        Self::Verify,
        Self::TokenExchange,
        Self::TokenCreate,
        Self::TokenRevoke,
        Self::PolicyChange,
        Self::BreakGlass,
    ];

    /// Whether it only uploads static assets, which does not change a Worker until a deploy uses them.
    #[must_use]
    pub const fn is_of_assets(self) -> bool {
        matches!(self, Self::AssetSession | Self::AssetUpload)
    }

    /// The action with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The name that entries and filters use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "authenticate",
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::AssetSession => "asset_session",
            Self::AssetUpload => "asset_upload",
            Self::Delete => "delete",
            Self::SecretPut => "secret_put",
            Self::SecretDelete => "secret_delete",
            Self::SecretsBulk => "secrets_bulk",
            Self::SettingsChange => "settings_change",
            Self::Rollback => "rollback",
            Self::Promote => "promote",
            Self::Preview => "preview",
            Self::Import => "import",
            Self::Drift => "drift",
            Self::Adopt => "adopt",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Verify => "verify",
            Self::TokenExchange => "token_exchange",
            Self::TokenCreate => "token_create",
            Self::TokenRevoke => "token_revoke",
            Self::PolicyChange => "policy_change",
            Self::BreakGlass => "break_glass",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

name_schema!(
    Action,
    "AuditAction",
    "What was done or requested.",
    Action::ALL.map(Action::name)
);

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom("there is no action of this name"))
    }
}
