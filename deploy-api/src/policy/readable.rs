//! The Workers that a caller may read, for lists across Workers.

use dotdo_names::Environment;

use super::production::barred_event;
use super::{Action, Caller, Grant, Policy, Request, Scope, WorkerPattern};

/// The Workers that a caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readable {
    /// The whole platform: every Worker, the policy, the tokens and the audit log.
    Everything,
    /// The Workers that one of these patterns matches in its namespace. No pattern covers another one. Empty if the caller may
    /// read nothing.
    Workers(Vec<(Environment, WorkerPattern)>),
}

impl Policy {
    /// The Workers that a caller may read: those that a rule and the scope of the token cover.
    #[must_use]
    pub fn readable(&self, caller: &Caller) -> Readable {
        let whole = [Action::Admin, Action::Read].map(Request::platform);
        if whole
            .iter()
            .any(|request| self.decide(caller, request).is_allowed())
        {
            return Readable::Everything;
        }
        let is_barred =
            |environment| environment == Environment::Production && barred_event(&caller.identity).is_some();
        let rules = self.rules.iter().filter(|rule| rule.who.is(&caller.identity));
        let mut found: Vec<(Environment, WorkerPattern)> = Vec::new();
        for (environment, pattern) in rules.flat_map(|rule| readable_in(&rule.grant)) {
            if is_barred(environment) {
                continue;
            }
            match &caller.scope {
                Scope::Policy => add(&mut found, environment, pattern),
                Scope::Grants(grants) => {
                    for (other, limit) in grants.iter().flat_map(readable_in) {
                        if other != environment {
                            continue;
                        }
                        if pattern.covers(limit) {
                            add(&mut found, environment, limit);
                        } else if limit.covers(pattern) {
                            add(&mut found, environment, pattern);
                        }
                    }
                }
            }
        }
        Readable::Workers(found)
    }
}

/// What a grant allows to read.
fn readable_in(grant: &Grant) -> impl Iterator<Item = (Environment, &WorkerPattern)> {
    let namespaces: &[Environment] = if grant.actions().contains(&Action::Read) {
        grant.namespaces()
    } else {
        &[]
    };
    namespaces
        .iter()
        .flat_map(|namespace| grant.workers().iter().map(|pattern| (*namespace, pattern)))
}

/// Adds a pattern, unless another one covers it. Removes those that it covers.
fn add(found: &mut Vec<(Environment, WorkerPattern)>, environment: Environment, pattern: &WorkerPattern) {
    let is_covered =
        |(known, wider): &(Environment, WorkerPattern)| *known == environment && wider.covers(pattern);
    if found.iter().any(is_covered) {
        return;
    }
    found.retain(|(known, narrower)| *known != environment || !pattern.covers(narrower));
    found.push((environment, pattern.clone()));
}
