//! What the token must be allowed to do, and the failure when it is not.

use std::fmt;

use dotdo_names::ACCOUNT_NAME;

use crate::cloudflare::CloudflareError;
use crate::failure::Failure;

/// "You do not have access to dispatch namespaces." wrangler prints it to accounts without Workers for Platforms.
const NO_WORKERS_FOR_PLATFORMS: i64 = 10121;

/// "Please enable R2 through the Cloudflare Dashboard."
const NO_R2: i64 = 10042;

/// What to type after every failure of a call.
const AGAIN: &str = "Type the same command again: it continues with what is missing.";

/// A permission of an API token, by the names in Cloudflare's dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The Workers, their secrets, the subdomain and the dispatch namespaces.
    WorkersScripts,
    /// The buckets.
    R2,
    /// Which zones there are.
    Zones,
    /// The routes of a zone.
    Routes,
    /// The DNS records of a zone, which are only read.
    Dns,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WorkersScripts => "Account, Workers Scripts, Edit",
            Self::R2 => "Account, Workers R2 Storage, Edit",
            Self::Zones => "Zone, Zone, Read",
            Self::Routes => "Zone, Workers Routes, Edit",
            Self::Dns => "Zone, DNS, Read",
        })
    }
}

impl Permission {
    /// The failure of a call that needs this permission.
    #[must_use]
    pub fn failure(self, error: &CloudflareError) -> Failure {
        if error.is(NO_WORKERS_FOR_PLATFORMS) {
            return Failure::refused(
                format!("the account {ACCOUNT_NAME} has no subscription of Workers for Platforms: {error}"),
                "Subscribe in the dashboard, Compute (Workers), Workers for Platforms: https://dash.cloudflare.com/?to=/:account/workers-for-platforms. \
                 Then type the same command again.",
            );
        }
        if error.is(NO_R2) {
            return Failure::refused(
                format!("R2 is not enabled for the account {ACCOUNT_NAME}: {error}"),
                "Enable it in the dashboard, R2 Object Storage: https://dash.cloudflare.com/?to=/:account/r2. Then type the same command again.",
            );
        }
        if error.is_permission_missing() {
            return missing(&[(self, error.to_string())]);
        }
        error.failure(AGAIN)
    }
}

/// The failure of a token without these permissions. Each has the refusal that showed it.
#[must_use]
pub fn missing(permissions: &[(Permission, String)]) -> Failure {
    let lines: Vec<String> = permissions
        .iter()
        .map(|(permission, refusal)| format!("{permission} ({refusal})"))
        .collect();
    let (noun, pronoun) = match permissions {
        [_] => ("the permission", "it"),
        _ => ("these permissions", "them"),
    };
    Failure::refused(
        format!("the token lacks {noun}:\n  {}", lines.join("\n  ")),
        format!(
            "Add {pronoun} to the token: https://dash.cloudflare.com/profile/api-tokens, Edit. Its value stays the same. Then type the \
             same command again."
        ),
    )
}
