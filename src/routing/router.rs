use std::borrow::Cow;

use dotdo_names::{Environment, WorkerName};

use super::captures::Captures;
use super::host::MAX_HOST;
use super::index::Index;
use super::part::Alphabet;
use super::path::Path;
use super::pattern::{Subject, names_only};
use super::refusal::{Reason, Refusal};
use super::route::{Route, StrippedPrefix};
use super::rule::{Rule, Verdict};
use super::rules_error::RulesError;
use super::search::{Decided, Search};
use super::url::Url;
use super::{builtin, routes};

/// Rules in order, and an index over them.
#[derive(Debug)]
pub struct Router {
    rules: Vec<Rule>,
    index: Index,
}

/// What the top-level domain `.localhost`, which every browser resolves to its own machine (RFC 6761, section 6.3),
/// means to a [`Router`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Localhost {
    /// Nothing: what is deployed.
    Unserved,
    /// The same as `.do`: on a developer's machine. Rules that are written for `.localhost` come first.
    MirrorsDo,
}

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
    /// The built-in rules alone.
    #[must_use]
    pub fn builtin(localhost: Localhost) -> Self {
        let mut router = Self {
            rules: Vec::new(),
            index: Index::new(),
        };
        router.push_builtin(localhost);
        router
    }

    /// The rules of `ROUTES` (a JSON array, see the [module](super)) in front of the built-in ones.
    ///
    /// # Errors
    /// The first rule that is wrong in itself; if there is none, the first that can never win. A built-in rule may be
    /// overridden.
    pub fn with_routes(json: &str, localhost: Localhost) -> Result<Self, RulesError> {
        let mut router = Self {
            rules: Vec::new(),
            index: Index::new(),
        };
        let rules = routes::parse(json)?;
        let mirrors = mirrors(&rules, localhost);
        for rule in rules {
            if let Some(earlier) = router.taker(&rule) {
                return Err(RulesError::NeverWins {
                    rule: rule.to_string(),
                    earlier: earlier.to_string(),
                });
            }
            router.push(rule);
        }
        router.push_all(mirrors);
        router.push_builtin(localhost);
        Ok(router)
    }

    fn push_builtin(&mut self, localhost: Localhost) {
        let rules = builtin::rules();
        let mirrors = mirrors(&rules, localhost);
        self.push_all(rules);
        self.push_all(mirrors);
    }

    fn push_all(&mut self, rules: Vec<Rule>) {
        for rule in rules {
            self.push(rule);
        }
    }

    fn push(&mut self, rule: Rule) {
        self.index.insert(self.rules.len(), &rule.pattern);
        self.rules.push(rule);
    }

    /// The rule that decides everything that `rule` would, were it added now.
    fn taker(&self, rule: &Rule) -> Option<&Rule> {
        let (host, path) = rule.pattern.sample();
        let subject = Subject {
            host: &host,
            path: Path::new(&path),
            alphabet: Alphabet::Sample,
        };
        let mut search = Search::new(&self.rules, subject);
        self.index.propose(&mut search);
        self.rules.get(search.decided()?.number)
    }

    /// Every rule, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

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
        let miss = search.nearest_miss().and_then(|number| self.rules.get(number));
        match miss.map(|rule| (rule, rule.judge(subject, &mut Captures::default()))) {
            Some((rule, Verdict::EnvironmentUnknown { label, .. })) => {
                let reason = Reason::NoEnvironment {
                    label: Cow::Borrowed(label),
                };
                Decision::Refused {
                    rule: Some(rule),
                    reason,
                }
            }
            _ => refused,
        }
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

fn mirrors(rules: &[Rule], localhost: Localhost) -> Vec<Rule> {
    match localhost {
        Localhost::Unserved => Vec::new(),
        Localhost::MirrorsDo => rules.iter().filter_map(Rule::under_localhost).collect(),
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
