//! What must be true of the token, before anything is changed.

use dotdo_names::{ACCOUNT_ID, ACCOUNT_NAME};
use serde::Deserialize;

use super::permission::{Permission, missing};
use super::remaining::{self, Routed};
use super::resources::path;
use crate::cloudflare::{Cloudflare, CloudflareError};
use crate::failure::Failure;

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Verified {
    status: String,
}

/// Calls whose permission is missing, so that one failure lists all.
#[derive(Default)]
pub struct Refused(Vec<(Permission, String)>);

impl Refused {
    /// The result of a call; `None` if its permission is missing.
    ///
    /// # Errors
    /// Every other refusal.
    pub fn note<T>(
        &mut self,
        permission: Permission,
        result: Result<T, CloudflareError>,
    ) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_permission_missing() => {
                if self.0.iter().all(|(noted, _)| *noted != permission) {
                    self.0.push((permission, error.to_string()));
                }
                Ok(None)
            }
            Err(error) => Err(permission.failure(&error)),
        }
    }

    /// The failure that names all of them.
    ///
    /// # Errors
    /// If a permission is missing.
    pub fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(missing(&self.0))
        }
    }
}

/// Checks that the token is valid. Tokens of a user and tokens of an account have different calls for that.
///
/// # Errors
/// If it is not, or Cloudflare does not answer.
pub fn verify(cloudflare: &Cloudflare) -> Result<(), Failure> {
    let verified = cloudflare
        .get::<Verified>("/user/tokens/verify")
        .or_else(|of_user| {
            cloudflare
                .get::<Verified>(&path("/tokens/verify"))
                .map_err(|_| of_user)
        });
    match verified {
        Ok(verified) if verified.status == "active" => Ok(()),
        Ok(verified) => Err(Failure::usage(
            format!("the token of Cloudflare's API is {}", verified.status),
            "Create another one: https://dash.cloudflare.com/profile/api-tokens.",
        )),
        Err(error) if error.is_token_invalid() || error.is_permission_missing() => Err(Failure::usage(
            format!("Cloudflare does not accept the token: {error}"),
            "Copy it again, or create another one: https://dash.cloudflare.com/profile/api-tokens.",
        )),
        Err(error) => Err(error.failure("Check the network, and type the same command again.")),
    }
}

/// Checks that the token is for the account of `dotdo.jsonc`, if it may list its accounts.
///
/// # Errors
/// If it is for others.
pub fn check_account(cloudflare: &Cloudflare) -> Result<(), Failure> {
    let accounts: Vec<Named> = cloudflare.list("/accounts").unwrap_or_default();
    if accounts.is_empty() || accounts.iter().any(|account| account.id == ACCOUNT_ID) {
        return Ok(());
    }
    let lines: Vec<String> = accounts
        .iter()
        .map(|account| format!("{} ({})", account.id, account.name))
        .collect();
    let lines = lines.join("\n  ");
    Err(Failure::usage(
        format!(
            "the token is not for the account {ACCOUNT_ID} ({ACCOUNT_NAME}) of dotdo.jsonc, but for:\n  {lines}"
        ),
        "Correct \"account\" in dotdo.jsonc, or use a token of that account. Then type `npm run dotdo -- setup`.",
    ))
}

/// Checks that the zones exist, and notes the permissions that are missing for their routes.
///
/// # Errors
/// If the account does not have one.
pub fn check_zones(
    cloudflare: &Cloudflare,
    zones: &[Routed<'_>],
    refused: &mut Refused,
) -> Result<(), Failure> {
    let mut absent = Vec::new();
    for zone in zones {
        match refused.note(Permission::Zones, remaining::find(cloudflare, zone.name))? {
            Some(Some(found)) => {
                refused.note(Permission::Routes, remaining::routes(cloudflare, &found))?;
            }
            Some(None) => absent.push(zone.name),
            None => {}
        }
    }
    if absent.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(
        format!(
            "the account {ACCOUNT_NAME} has no zone {}, which dotdo.jsonc names",
            absent.join(", ")
        ),
        "Add it in the dashboard, Domains, Onboard a domain. Or remove it from dotdo.jsonc, and type `npm run dotdo -- setup`.",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cloudflare::scripted::{failure, server, success};

    #[test]
    fn every_missing_permission_of_the_zones_is_named_once() {
        let zones = ["agents.do", "apis.do"].map(|name| Routed {
            name,
            is_custom: false,
        });
        let zone = || success(&json!([{ "id": "z1" }]), &Value::Null);
        let (cloudflare, _) = server(vec![zone(), failure(403, 10000), zone(), failure(403, 10000)]);
        let mut refused = Refused::default();
        check_zones(&cloudflare, &zones, &mut refused).unwrap();
        let failure = refused.into_result().unwrap_err().text();
        assert_eq!(
            failure.matches("Zone, Workers Routes, Edit").count(),
            1,
            "{failure}"
        );
        assert!(failure.contains("api-tokens"), "{failure}");
    }

    #[test]
    fn a_zone_that_the_account_does_not_have_is_named() {
        let zones = [Routed {
            name: "agents.do",
            is_custom: false,
        }];
        let (cloudflare, _) = server(vec![success(&json!([]), &Value::Null)]);
        let failure = check_zones(&cloudflare, &zones, &mut Refused::default()).unwrap_err();
        assert!(failure.text().contains("no zone agents.do"), "{}", failure.text());
    }
}
