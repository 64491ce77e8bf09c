//! Decides where a request goes.

use std::borrow::Cow;

use dotdo_names::{Environment, WorkerName};

use super::host::MAX_HOST;
use super::index::RuleVisitor;
use super::pattern::{Alphabet, Subject};
use super::refusal::{Reason, Refusal};
use super::route::{Route, StrippedPrefix};
use super::router::Router;
use super::rule::Rule;
use super::search::{Decided, NearMiss, Search};
use super::url::{Path, Url};

/// The decision for a host and a path, before the parts of the URL are added.
enum Decision<'r, 'h> {
    Routed {
        rule: &'r Rule,
        environment: Environment,
        worker: Cow<'h, str>,
    },
    Refused {
        rule: Option<&'r Rule>,
        reason: Reason<'h>,
    },
}

/// How the rules to try are selected.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// The candidates of the index.
    Index,
    /// Every rule, in order.
    Sequential,
}

impl Router {
    /// Decides where a request goes. `url` is the text of the whole URL, as in `Request.url`.
    ///
    /// Only a Worker's name that is not a part of the URL is allocated.
    ///
    /// # Errors
    /// No rule matches, or the environment or the Worker's name is invalid. Such a request never goes to production
    /// instead.
    pub fn route<'a>(&'a self, url: &'a str) -> Result<Route<'a>, Refusal<'a>> {
        self.decide_url(url, Order::Index)
    }

    /// The same decision without the index, by trying every rule in order. For tests: [`route`](Self::route) must
    /// agree.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub fn route_by_scan<'a>(&'a self, url: &'a str) -> Result<Route<'a>, Refusal<'a>> {
        self.decide_url(url, Order::Sequential)
    }

    fn decide_url<'a>(&'a self, text: &'a str, order: Order) -> Result<Route<'a>, Refusal<'a>> {
        let url = Url::parse(text).map_err(|reason| Refusal {
            reason: Reason::Url(reason),
            rule: None,
            host: None,
        })?;
        let decision = match url.host.as_lower_case() {
            Some(host) => self.decide(host, url.path(), order),
            None => self
                .decide(url.host.fold(&mut [0; MAX_HOST]), url.path(), order)
                .into_owned(),
        };
        match decision {
            Decision::Routed {
                rule,
                environment,
                worker,
            } => Ok(Route {
                rule,
                environment,
                worker,
                stripped: rule
                    .stripped_segments()
                    .map(|segments| StrippedPrefix::new(url, segments)),
            }),
            Decision::Refused { rule, reason } => Err(Refusal {
                reason,
                rule,
                host: Some(url.host),
            }),
        }
    }

    fn decide<'r: 'h, 'h>(&'r self, host: &'h str, path: Path<'h>, order: Order) -> Decision<'r, 'h> {
        let subject = Subject {
            host,
            path,
            alphabet: Alphabet::Request,
        };
        let mut search = Search::new(&self.rules, subject);
        self.visit_candidates(order, subject, &mut search);
        let decided = search.decided();
        let rule = decided.and_then(|decided| self.rules.get(decided.number));
        let refused = match rule.zip(decided) {
            None => Reason::NoRule,
            Some((rule, decided)) => match worker(rule, decided, host) {
                Ok(worker) => {
                    return Decision::Routed {
                        rule,
                        environment: decided.environment,
                        worker,
                    };
                }
                Err(reason) => reason,
            },
        };
        let mut near_miss = NearMiss::new(&self.rules, subject, decided.map(|decided| decided.number));
        self.visit_candidates(order, subject, &mut near_miss);
        match near_miss.reason() {
            Some((rule, reason)) => Decision::Refused {
                rule: Some(rule),
                reason,
            },
            None => Decision::Refused {
                rule,
                reason: refused,
            },
        }
    }

    fn visit_candidates(&self, order: Order, subject: Subject<'_>, visitor: &mut impl RuleVisitor) {
        match order {
            Order::Index => self.index.visit_candidates(subject, visitor),
            Order::Sequential => (0..self.rules.len()).for_each(|number| visitor.visit(number)),
        }
    }
}

impl<'r> Decision<'r, '_> {
    /// The same decision, no longer borrowed from a buffer.
    fn into_owned<'o>(self) -> Decision<'r, 'o> {
        match self {
            Self::Routed {
                rule,
                environment,
                worker,
            } => Decision::Routed {
                rule,
                environment,
                worker: Cow::Owned(worker.into_owned()),
            },
            Self::Refused { rule, reason } => Decision::Refused {
                rule,
                reason: reason.into_owned(),
            },
        }
    }
}

/// The Worker's name for a request that a rule decides.
fn worker<'h>(rule: &'h Rule, decided: &Decided<'h>, host: &'h str) -> Result<Cow<'h, str>, Reason<'h>> {
    // The text of `{worker}` must be a valid name, even if the target composes another name from it.
    if let Some(number) = rule.worker_capture() {
        check(&Cow::Borrowed(decided.captures.get(number)))?;
    }
    let name = rule.worker.render(&decided.captures);
    if !rule.worker.is_checked(rule.worker_capture()) {
        check(&name)?;
    }
    match rule.other_environment(host, decided.environment) {
        None => Ok(name),
        Some(label) => Err(Reason::OtherEnvironment {
            label: Cow::Borrowed(label),
            environment: decided.environment,
        }),
    }
}

fn check<'h>(name: &Cow<'h, str>) -> Result<(), Reason<'h>> {
    WorkerName::check(name).map_err(|reason| Reason::InvalidWorkerName {
        name: name.clone(),
        reason,
    })
}
