//! What the rules make of a request.

use std::borrow::Cow;

use dotdo_names::{Environment, WorkerName};

use super::host::MAX_HOST;
use super::index::Seeker;
use super::pattern::{Alphabet, Subject};
use super::refusal::{Reason, Refusal};
use super::route::{Route, StrippedPrefix};
use super::router::Router;
use super::rule::Rule;
use super::search::{Decided, NearMiss, Search};
use super::url::{Path, Url};

/// What the rules make of one request, before the URL's own texts are attached.
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

/// In which order rules are asked.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// Those that the index proposes.
    ByIndex,
    /// All, one by one.
    InTurn,
}

impl Router {
    /// Decides where a request goes. `url` is the text of the whole URL, as `Request.url` has it.
    ///
    /// Nothing is allocated but a Worker's name that is not in the URL as it stands.
    ///
    /// # Errors
    /// No rule, environment or Worker's name fits; never is that production instead.
    pub fn route<'a>(&'a self, url: &'a str) -> Result<Route<'a>, Refusal<'a>> {
        self.decide_url(url, Order::ByIndex)
    }

    /// The same decision by asking every rule in turn: what [`route`](Self::route) must agree with. For tests.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub fn route_by_scan<'a>(&'a self, url: &'a str) -> Result<Route<'a>, Refusal<'a>> {
        self.decide_url(url, Order::InTurn)
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
        self.propose(order, subject, &mut search);
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
        self.propose(order, subject, &mut near_miss);
        match near_miss.complaint() {
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

    fn propose(&self, order: Order, subject: Subject<'_>, seeker: &mut impl Seeker) {
        match order {
            Order::ByIndex => self.index.propose(subject, seeker),
            Order::InTurn => (0..self.rules.len()).for_each(|number| seeker.offer(number)),
        }
    }
}

impl<'r> Decision<'r, '_> {
    /// The same, no longer borrowed from a buffer.
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

/// The Worker's name that a rule makes for a request that it decides.
fn worker<'h>(rule: &'h Rule, decided: &Decided<'h>, host: &'h str) -> Result<Cow<'h, str>, Reason<'h>> {
    // What `{worker}` takes is a Worker's name, also where the target makes another name of it.
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
    WorkerName::check(name).map_err(|reason| Reason::NoWorkerName {
        name: name.clone(),
        reason,
    })
}
