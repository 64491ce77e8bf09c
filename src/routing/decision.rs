//! What the rules make of a request.

use std::borrow::Cow;

use dotdo_names::{Environment, WorkerName};

use super::captures::Captures;
use super::environment_label::names_only;
use super::host::MAX_HOST;
use super::part::Alphabet;
use super::path::Path;
use super::pattern::Subject;
use super::refusal::{Reason, Refusal};
use super::route::{Route, StrippedPrefix};
use super::router::Router;
use super::rule::{Rule, Verdict};
use super::search::{Decided, Search};
use super::url::Url;

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

impl Router {
    /// Decides where a request goes. `url` is the text of the whole URL, as `Request.url` has it.
    ///
    /// Nothing is allocated but a Worker's name that is not in the URL as it stands.
    ///
    /// # Errors
    /// No rule, environment or Worker's name fits; never is that production instead.
    pub fn route<'a>(&'a self, url: &'a str) -> Result<Route<'a>, Refusal<'a>> {
        self.decide_url(url, |search| self.index.propose(search))
    }

    /// The same decision by asking every rule in turn: what [`route`](Self::route) must agree with. For tests.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub fn route_by_scan<'a>(&'a self, url: &'a str) -> Result<Route<'a>, Refusal<'a>> {
        self.decide_url(url, |search| {
            for number in 0..self.rules.len() {
                search.offer(number);
            }
        })
    }

    fn decide_url<'a>(
        &'a self,
        text: &'a str,
        propose: impl FnOnce(&mut Search<'_, '_>),
    ) -> Result<Route<'a>, Refusal<'a>> {
        let url = Url::parse(text).map_err(|reason| Refusal {
            reason,
            rule: None,
            host: None,
        })?;
        let decision = match url.host.as_lower_case() {
            Some(host) => self.decide(host, url.path(), propose),
            None => self
                .decide(url.host.fold(&mut [0; MAX_HOST]), url.path(), propose)
                .into_owned(),
        };
        match decision {
            Decision::Routed {
                rule,
                environment,
                worker,
            } => {
                let stripped = rule
                    .stripped_segments()
                    .map(|segments| StrippedPrefix::new(url, segments));
                Ok(Route {
                    rule,
                    environment,
                    worker,
                    stripped,
                })
            }
            Decision::Refused { rule, reason } => Err(Refusal {
                reason,
                rule,
                host: Some(url.host),
            }),
        }
    }

    fn decide<'r: 'h, 'h>(
        &'r self,
        host: &'h str,
        path: Path<'h>,
        propose: impl FnOnce(&mut Search<'_, '_>),
    ) -> Decision<'r, 'h> {
        let subject = Subject {
            host,
            path,
            alphabet: Alphabet::Request,
        };
        let mut search = Search::new(&self.rules, subject);
        propose(&mut search);
        let decided = search
            .decided()
            .and_then(|decided| Some((self.rules.get(decided.number)?, decided)));
        let refused = match decided {
            None => Decision::Refused {
                rule: None,
                reason: Reason::NoRule,
            },
            Some((rule, decided)) => match worker(rule, &decided, host) {
                Ok(worker) => {
                    return Decision::Routed {
                        rule,
                        environment: decided.environment,
                        worker,
                    };
                }
                Err(reason) => Decision::Refused {
                    rule: Some(rule),
                    reason,
                },
            },
        };
        search
            .nearest_miss()
            .and_then(|number| no_environment(self.rules.get(number)?, subject))
            .unwrap_or(refused)
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

/// The complaint of a rule about what its `{env}` took.
fn no_environment<'r, 'h>(rule: &'r Rule, subject: Subject<'h>) -> Option<Decision<'r, 'h>> {
    match rule.judge(subject, &mut Captures::default()) {
        Verdict::EnvironmentUnknown { label, .. } => Some(Decision::Refused {
            rule: Some(rule),
            reason: Reason::NoEnvironment {
                label: Cow::Borrowed(label),
            },
        }),
        Verdict::Passed | Verdict::Decided(_) => None,
    }
}

/// The Worker's name that a rule makes for a request that it decides.
fn worker<'h>(rule: &'h Rule, decided: &Decided<'h>, host: &'h str) -> Result<Cow<'h, str>, Reason<'h>> {
    if let Some(number) = rule.worker_capture() {
        let name = decided.captures.get(number);
        check(&Cow::Borrowed(name))?;
    }
    let name = rule.worker.render(&decided.captures);
    check(&name)?;
    match names_only(host, Some(decided.environment)) {
        Ok(()) => Ok(name),
        Err(label) => {
            let label = Cow::Borrowed(label);
            Err(Reason::OtherEnvironment {
                label,
                environment: decided.environment,
            })
        }
    }
}

fn check<'h>(name: &Cow<'h, str>) -> Result<(), Reason<'h>> {
    WorkerName::check(name).map_err(|reason| Reason::NoWorkerName {
        name: name.clone(),
        reason,
    })
}
