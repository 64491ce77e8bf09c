//! What remains in the account when every host of a plan is moved.

use deploy_api::v1::types::HostKind;
use dotdo_names::DISPATCH_WORKER;
use serde::Serialize;

use crate::commands::migrate::plan_file::{Means, PlanFile, PlannedWorker};
use crate::count::agreeing;

/// What can be deleted, and what cannot.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// The account Workers that nothing needs any more.
    pub deletable: Vec<Deletable>,
    /// The account Workers of the plan that must stay.
    pub kept: Vec<Kept>,
    /// What was not known when the plan was made: hosts that the plan does not have may lead to an account Worker.
    pub unknown: Vec<String>,
}

/// An account Worker that can be deleted.
#[derive(Debug, Serialize)]
pub struct Deletable {
    /// Its name.
    pub worker: String,
    /// The command that deletes it.
    pub command: String,
    /// What must be done before; null for nothing.
    pub before: Option<String>,
}

/// An account Worker that must stay.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// Its name.
    pub worker: String,
    /// Why.
    pub why: String,
}

impl Leftovers {
    /// The leftovers of the Workers that moved. `absent` are those that are not deployed in a namespace, with the reason.
    pub fn new(plan: &PlanFile, moving: &[&PlannedWorker], absent: &[(String, String)]) -> Self {
        let mut leftovers = Self {
            unknown: plan
                .unknown
                .iter()
                .map(|unknown| unknown.what.clone().into_owned())
                .collect(),
            ..Self::default()
        };
        for worker in moving {
            let absent = absent.iter().find(|(name, _)| *name == worker.from);
            let why = match absent {
                Some((_, why)) => Some(why.clone()),
                None => callers(plan, worker),
            };
            let name = worker.from.clone();
            match why {
                Some(why) => leftovers.kept.push(Kept { worker: name, why }),
                None => leftovers.deletable.push(Deletable {
                    command: format!("npx wrangler delete --name {name}"),
                    before: domains(worker),
                    worker: name,
                }),
            }
        }
        leftovers
    }
}

/// Why a Worker must stay: account Workers that stay call it.
fn callers(plan: &PlanFile, worker: &PlannedWorker) -> Option<String> {
    let moves = |name: &str| {
        plan.workers
            .iter()
            .any(|other| other.from == name && other.by != Means::None)
    };
    let callers: Vec<&str> = worker
        .called_by
        .iter()
        .map(String::as_str)
        .filter(|name| !moves(name))
        .collect();
    (!callers.is_empty()).then(|| {
        format!(
            "{} in the account {} it.",
            callers.join(", "),
            agreeing(
                callers.len(),
                "has a service binding to",
                "have service bindings to"
            )
        )
    })
}

/// What must be done with the custom domains of a Worker before it is deleted.
fn domains(worker: &PlannedWorker) -> Option<String> {
    let domains: Vec<&str> = worker
        .hosts
        .iter()
        .filter(|host| host.kind == HostKind::CustomDomain)
        .map(|host| host.pattern.as_str())
        .collect();
    (!domains.is_empty()).then(|| {
        format!(
            "Before: attach {} to {DISPATCH_WORKER} (Workers & Pages, {DISPATCH_WORKER}, Domains). Deleting the Worker removes the DNS \
             records of its custom domains.",
            domains.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::migrate::plan_file::tests::planned;

    #[test]
    fn a_worker_that_is_called_or_not_deployed_elsewhere_is_kept() {
        let mut called = planned("auth", "auth");
        called.called_by = vec!["api".to_owned(), "cron".to_owned()];
        let mut staying = planned("cron", "cron");
        staying.by = Means::None;
        let workers = vec![planned("api", "api"), called, staying, planned("site", "site")];
        let plan = PlanFile::new(workers, Vec::new());
        let moving = plan.moving(&[]).unwrap();
        let absent = [("site".to_owned(), "site is not deployed.".to_owned())];
        let leftovers = Leftovers::new(&plan, &moving, &absent);
        let deletable: Vec<_> = leftovers
            .deletable
            .iter()
            .map(|item| item.worker.as_str())
            .collect();
        assert_eq!(deletable, ["api"]);
        let kept: Vec<_> = leftovers
            .kept
            .iter()
            .map(|item| (item.worker.as_str(), item.why.as_str()))
            .collect();
        assert_eq!(
            kept,
            [
                ("auth", "cron in the account has a service binding to it."),
                ("site", "site is not deployed."),
            ]
        );
    }
}
