//! The Workers that a caller may read, for lists across Workers.

use dotdo_names::Namespace;

use super::production::barred_event;
use super::{Action, Caller, Grant, Policy, Request, Scope, WorkerPattern};

/// The Workers that a caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readable {
    /// The whole platform: every Worker, the policy, the tokens and the audit log.
    Everything,
    /// The Workers that one of these patterns matches in its namespace. No pattern covers another one. Empty if the caller may
    /// read nothing.
    Workers(Vec<(Namespace, WorkerPattern)>),
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
            |namespace: Namespace| namespace.is_production() && barred_event(&caller.identity).is_some();
        let rules = self.rules.iter().filter(|rule| rule.who.is(&caller.identity));
        let mut found: Vec<(Namespace, WorkerPattern)> = Vec::new();
        for (namespace, pattern) in rules.flat_map(|rule| readable_in(&rule.grant)) {
            if is_barred(namespace) {
                continue;
            }
            match &caller.scope {
                Scope::Policy => add(&mut found, namespace, pattern),
                Scope::Grants(grants) => {
                    for (other, limit) in grants.iter().flat_map(readable_in) {
                        if other != namespace {
                            continue;
                        }
                        if pattern.covers(limit) {
                            add(&mut found, namespace, limit);
                        } else if limit.covers(pattern) {
                            add(&mut found, namespace, pattern);
                        }
                    }
                }
            }
        }
        Readable::Workers(found)
    }
}

/// What a grant allows to read.
fn readable_in(grant: &Grant) -> impl Iterator<Item = (Namespace, &WorkerPattern)> {
    let namespaces: &[Namespace] = if grant.actions().contains(&Action::Read) {
        grant.namespaces()
    } else {
        &[]
    };
    namespaces
        .iter()
        .flat_map(|namespace| grant.workers().iter().map(|pattern| (*namespace, pattern)))
}

/// Adds a pattern, unless another one covers it. Removes those that it covers.
fn add(found: &mut Vec<(Namespace, WorkerPattern)>, namespace: Namespace, pattern: &WorkerPattern) {
    let is_covered =
        |(known, wider): &(Namespace, WorkerPattern)| *known == namespace && wider.covers(pattern);
    if found.iter().any(is_covered) {
        return;
    }
    found.retain(|(known, narrower)| *known != namespace || !pattern.covers(narrower));
    found.push((namespace, pattern.clone()));
}
