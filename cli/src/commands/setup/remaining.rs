//! What remains to be done by hand in the zones of the platform: DNS records, and routes that no deploy made.

use dotdo_names::DISPATCH_WORKER;
use serde::Deserialize;
use wrangler_config::{ANY_HOST, zone_patterns};

use super::files::RoutedZones;
use super::permission::Permission;
use crate::cloudflare::{Cloudflare, CloudflareError};
use crate::failure::Failure;

/// A zone of the account.
#[derive(Debug, Deserialize)]
pub struct Zone {
    id: String,
}

/// A route of a zone.
#[derive(Debug, Deserialize)]
pub struct Route {
    pattern: String,
    #[serde(default)]
    script: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    name: String,
    #[serde(default)]
    proxied: bool,
}

/// A zone whose requests go to the dispatch Worker.
#[derive(Clone, Copy, Debug)]
pub struct Routed<'z> {
    /// Its name.
    pub name: &'z str,
    /// Whether it is the zone of custom hostnames.
    pub is_custom: bool,
}

/// The zones of `dotdo.jsonc`.
#[must_use]
pub fn zones(zones: &RoutedZones) -> Vec<Routed<'_>> {
    let routed = zones.routed.iter().map(|name| Routed {
        name,
        is_custom: false,
    });
    let custom = zones.custom_hostnames.iter().map(|name| Routed {
        name,
        is_custom: true,
    });
    routed.chain(custom).collect()
}

/// The zone of a name; `None` if the account does not have it.
///
/// # Errors
/// The refusal of Cloudflare.
pub fn find(cloudflare: &Cloudflare, name: &str) -> Result<Option<Zone>, CloudflareError> {
    let found: Vec<Zone> = cloudflare.list(&format!("/zones?name={name}"))?;
    Ok(found.into_iter().next())
}

/// The routes of a zone.
///
/// # Errors
/// The refusal of Cloudflare.
pub fn routes(cloudflare: &Cloudflare, zone: &Zone) -> Result<Vec<Route>, CloudflareError> {
    cloudflare.list(&format!("/zones/{}/workers/routes", zone.id))
}

/// What remains for a zone, a sentence for each step.
///
/// # Errors
/// If Cloudflare does not answer.
pub fn of_zone(cloudflare: &Cloudflare, zone: Routed<'_>) -> Result<Vec<String>, Failure> {
    let Routed { name, is_custom } = zone;
    let found = match find(cloudflare, name) {
        Ok(found) => found,
        Err(error) => {
            return unknown(
                &error,
                Permission::Zones,
                &format!("whether the zone {name} exists"),
            );
        }
    };
    let Some(found) = found else {
        return Ok(vec![format!(
            "Add the zone {name} to the account, and type the same command again."
        )]);
    };
    let mut steps = Vec::new();
    let patterns = if is_custom {
        vec![ANY_HOST.to_owned()]
    } else {
        zone_patterns(name).to_vec()
    };
    match routes(cloudflare, &found) {
        Ok(routes) => steps.extend(missing_routes(&patterns, &routes)),
        Err(error) => steps.extend(unknown(
            &error,
            Permission::Routes,
            &format!("the routes of {name}"),
        )?),
    }
    if !is_custom {
        match cloudflare.list::<Record>(&format!("/zones/{}/dns_records", found.id)) {
            Ok(records) => steps.extend(missing_records(name, &records)),
            Err(error) => {
                steps.extend(unknown(
                    &error,
                    Permission::Dns,
                    &format!("the DNS records of {name}"),
                )?);
            }
        }
    }
    Ok(steps)
}

fn missing_routes(patterns: &[String], routes: &[Route]) -> Vec<String> {
    patterns
        .iter()
        .filter_map(
            |pattern| match routes.iter().find(|route| route.pattern == *pattern) {
                Some(route) if route.script.as_deref() == Some(DISPATCH_WORKER) => None,
                Some(route) => Some(format!(
                    "Change the route {pattern}: it goes to {}, and must go to {DISPATCH_WORKER}.",
                    route.script.as_deref().unwrap_or("no Worker")
                )),
                None => Some(format!(
                    "Type `npm run deploy`, which makes the route {pattern} to {DISPATCH_WORKER}."
                )),
            },
        )
        .collect()
}

/// A host is served by a route only if a proxied record resolves it. The address of the record is never reached.
fn missing_records(zone: &str, records: &[Record]) -> Vec<String> {
    [zone.to_owned(), format!("*.{zone}")]
        .into_iter()
        .filter_map(|name| match records.iter().find(|record| record.name == name) {
            Some(record) if record.proxied => None,
            Some(_) => Some(format!("Switch the DNS record {name} to \"Proxied\".")),
            None => Some(format!("Create the DNS record: AAAA, {name}, 100::, proxied.")),
        })
        .collect()
}

/// A step by which a person finds out what the token may not read.
fn unknown(error: &CloudflareError, permission: Permission, what: &str) -> Result<Vec<String>, Failure> {
    if error.is_permission_missing() {
        Ok(vec![format!(
            "Check {what}: the token lacks the permission {permission}."
        )])
    } else {
        Err(permission.failure(error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cloudflare::scripted::{failure, server, success};

    #[test]
    fn the_steps_of_a_zone_are_read_from_the_account() {
        let routed = Routed {
            name: "agents.do",
            is_custom: false,
        };
        let none = &Value::Null;
        let zone = || success(&json!([{ "id": "z1" }]), none);
        let first = json!([{ "pattern": "agents.do/*", "script": DISPATCH_WORKER }]);
        let (cloudflare, served) = server(vec![zone(), success(&first, none), failure(403, 10000)]);
        let steps = of_zone(&cloudflare, routed).unwrap();
        assert_eq!(
            steps,
            [
                format!("Type `npm run deploy`, which makes the route *.agents.do/* to {DISPATCH_WORKER}."),
                "Check the DNS records of agents.do: the token lacks the permission Zone, DNS, Read."
                    .to_owned(),
            ]
        );
        let requests = served.join().unwrap();
        assert!(requests[0].contains("/zones?name=agents.do&"), "{}", requests[0]);
        assert!(requests[2].contains("/zones/z1/dns_records?"), "{}", requests[2]);

        let (cloudflare, _) = server(vec![success(&json!([]), none)]);
        assert!(of_zone(&cloudflare, routed).unwrap()[0].contains("Add the zone agents.do"));
        let (cloudflare, _) = server(vec![failure(400, 7003)]);
        assert!(of_zone(&cloudflare, routed).is_err());
    }

    #[test]
    fn routes_of_other_workers_and_missing_routes_remain() {
        let routes: Vec<Route> = serde_json::from_value(json!([
            { "pattern": "agents.do/*", "script": DISPATCH_WORKER },
            { "pattern": "*.agents.do/*", "script": "old" },
        ]))
        .unwrap();
        let patterns = ["agents.do/*", "*.agents.do/*", "*/*"].map(str::to_owned);
        let steps = missing_routes(&patterns, &routes);
        assert_eq!(steps.len(), 2);
        assert!(steps[0].contains("it goes to old"), "{steps:?}");
        assert!(steps[1].contains("makes the route */*"), "{steps:?}");
    }

    #[test]
    fn hosts_need_proxied_records() {
        let of = |records: Value| {
            let records: Vec<Record> = serde_json::from_value(records).unwrap();
            missing_records("agents.do", &records)
        };
        assert_eq!(
            of(json!([])),
            [
                "Create the DNS record: AAAA, agents.do, 100::, proxied.",
                "Create the DNS record: AAAA, *.agents.do, 100::, proxied.",
            ]
        );
        let records =
            json!([{ "name": "agents.do", "proxied": true }, { "name": "*.agents.do", "proxied": false }]);
        assert_eq!(of(records), ["Switch the DNS record *.agents.do to \"Proxied\"."]);
    }
}
