//! The changes of a plan: a step for each host that can be led to its new place, and why the others cannot.

use std::collections::BTreeMap;

use deploy_api::v1::types::{AccountHost, HostKind};
use dispatcher::routing::Router;
use serde::Serialize;

use super::refused;
use super::zone_routes::{Step, Unchanged, ZoneRoute, step};
use crate::cloudflare::Cloudflare;
use crate::commands::migrate::plan_file::PlannedWorker;
use crate::commands::migrate::verdict::is_routed;
use crate::failure::Failure;

/// A host that is not changed.
#[derive(Debug, Serialize)]
pub struct Blocked {
    /// The account Worker.
    pub worker: String,
    /// The pattern of the route, or the custom domain.
    pub host: String,
    /// Why.
    pub why: String,
}

/// The changes of a plan.
#[derive(Default)]
pub struct Changes {
    /// One for each host that can be led to its new place.
    pub steps: Vec<Step>,
    /// The other hosts.
    pub blocked: Vec<Blocked>,
    /// The account Workers that are not deployed in a namespace, with the reason why their hosts stay.
    pub absent: Vec<(String, String)>,
}

impl Changes {
    /// Leaves a Worker and all of its hosts as they are.
    pub fn block_worker(&mut self, planned: &PlannedWorker, why: &str) {
        self.block(planned, &planned.hosts, why);
        self.absent.push((planned.from.clone(), why.to_owned()));
    }

    fn block(&mut self, planned: &PlannedWorker, hosts: &[AccountHost], why: &str) {
        self.blocked.extend(hosts.iter().map(|host| Blocked {
            worker: planned.from.clone(),
            host: host.pattern.clone(),
            why: why.to_owned(),
        }));
    }

    /// Adds the hosts of a Worker.
    ///
    /// # Errors
    /// If the routes of a zone cannot be read.
    pub fn add(
        &mut self,
        planned: &PlannedWorker,
        zones: &mut Zones<'_>,
        router: &Router,
        undo: bool,
    ) -> Result<(), Failure> {
        let (environment, name) = planned.checked_target()?;
        for host in &planned.hosts {
            if !undo && !is_routed(host, environment, name.as_str(), router) {
                let why = format!(
                    "No rule of the dispatch Worker leads it to {name} in {}.",
                    environment.name()
                );
                self.block(planned, std::slice::from_ref(host), &why);
                continue;
            }
            let of_zone = zones.routes(&host.zone_id)?;
            let has_domain = zones.has_domain(host, &planned.from);
            match step(&planned.from, host, &of_zone, undo, has_domain) {
                Ok(step) => self.steps.push(step),
                Err(Unchanged(why)) => self.block(planned, std::slice::from_ref(host), &why),
            }
        }
        Ok(())
    }
}

/// The routes of the zones now.
pub struct Zones<'a> {
    cloudflare: Option<&'a Cloudflare>,
    hosts: &'a [AccountHost],
    /// The routes of the zones that were read.
    routes: BTreeMap<String, Vec<ZoneRoute>>,
}

impl<'a> Zones<'a> {
    /// The zones, of which none is read yet. `hosts` are the routes and custom domains, as the deploy API reads them.
    pub const fn new(cloudflare: Option<&'a Cloudflare>, hosts: &'a [AccountHost]) -> Self {
        Self {
            cloudflare,
            hosts,
            routes: BTreeMap::new(),
        }
    }

    /// The routes of a zone: read with the token of this command, or else with that of the deploy API.
    fn routes(&mut self, zone: &str) -> Result<Vec<ZoneRoute>, Failure> {
        if let Some(routes) = self.routes.get(zone) {
            return Ok(routes.clone());
        }
        let routes = self.read(zone)?;
        self.routes.insert(zone.to_owned(), routes.clone());
        Ok(routes)
    }

    fn read(&self, zone: &str) -> Result<Vec<ZoneRoute>, Failure> {
        if let Some(cloudflare) = self.cloudflare {
            let path = format!("/zones/{zone}/workers/routes");
            return cloudflare.get(&path).map_err(|error| refused(&error));
        }
        let of_zone = self
            .hosts
            .iter()
            .filter(|host| host.zone_id == zone && host.kind == HostKind::Route);
        Ok(of_zone
            .map(|host| ZoneRoute {
                id: host.id.clone(),
                pattern: host.pattern.clone(),
                script: host.worker.clone(),
            })
            .collect())
    }

    fn has_domain(&self, host: &AccountHost, worker: &str) -> bool {
        self.hosts.iter().any(|found| {
            found.kind == HostKind::CustomDomain
                && found.pattern == host.pattern
                && found.worker.as_deref() == Some(worker)
        })
    }
}
