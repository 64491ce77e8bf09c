use std::fmt;

use dotdo_names::Environment;

use super::host::other_environment;
use super::pattern::{ANY_ENVIRONMENT, Alphabet, Captures, Pattern, Subject, WORKER};
use super::problem::Problem;
use super::target::{Limits, Outbound, TargetEnvironment, Template};

/// A pattern and its target.
#[derive(Debug)]
pub struct Rule {
    origin: Origin,
    pub(super) pattern: Pattern,
    pub(super) worker: Template,
    environment: TargetEnvironment,
    strip_prefix: bool,
    limits: Option<Limits>,
    outbound: Option<Outbound>,
    /// The number of the capture `{worker}`.
    worker_capture: Option<usize>,
    /// Whether hosts must be searched for the label of an environment that the rule does not serve.
    host_can_name_environment: bool,
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The array `ROUTES`, at this index, from 0.
    Routes(usize),
    /// The platform's own rules.
    BuiltIn,
}

/// The members of a rule before they are checked.
#[derive(Debug)]
pub(super) struct RuleSource<'t> {
    pub(super) pattern: &'t str,
    pub(super) worker: &'t str,
    pub(super) environment: &'t str,
    pub(super) strip_prefix: bool,
    pub(super) limits: Option<Limits>,
    pub(super) outbound: Option<Outbound>,
}

/// The result of matching a rule with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict<'u> {
    /// Host or path do not match.
    NoMatch,
    /// Everything matches except `{env}`, whose text is `label`.
    EnvironmentUnknown { label: &'u str },
    /// The rule decides the request, even if the Worker's name turns out to be invalid: no later rule is tried.
    Decided(Environment),
}

impl Rule {
    pub(super) fn parse(origin: Origin, source: RuleSource<'_>) -> Result<Self, Problem<'_>> {
        let pattern = Pattern::parse(source.pattern)?;
        let worker = Template::parse(source.worker, &pattern)?;
        let environment = TargetEnvironment::parse(source.environment, &pattern)?;
        for (number, name) in pattern.captures.iter().enumerate() {
            if !worker.uses(number) && environment != TargetEnvironment::Captured(number) {
                return Err(Problem::CaptureUnused {
                    name: name.to_string(),
                });
            }
        }
        let host = source.pattern.split('/').next().unwrap_or_default();
        if let Some(label) = other_environment(host, environment.fixed()) {
            return Err(Problem::EnvironmentContradicted {
                label,
                environment: environment.fixed(),
            });
        }
        if source.strip_prefix && (pattern.segments.is_empty() || !pattern.open) {
            return Err(Problem::NothingToStrip);
        }
        Ok(Self {
            origin,
            worker,
            environment,
            strip_prefix: source.strip_prefix,
            limits: source.limits,
            outbound: source.outbound,
            worker_capture: pattern.capture(WORKER),
            host_can_name_environment: pattern.can_name_environment(),
            pattern,
        })
    }

    /// Where the rule comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The pattern's text.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern.text
    }

    /// The environment that the rule serves; `None` if `{env}` selects it.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        self.environment.fixed()
    }

    /// Limits for the Worker.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        self.limits
    }

    /// Parameters for the outbound Worker.
    #[must_use]
    pub fn outbound(&self) -> Option<&Outbound> {
        self.outbound.as_ref()
    }

    /// The number of path segments that are stripped.
    pub(super) fn stripped_segments(&self) -> Option<usize> {
        self.strip_prefix.then_some(self.pattern.segments.len())
    }

    /// The number of the capture `{worker}`.
    pub(super) fn worker_capture(&self) -> Option<usize> {
        self.worker_capture
    }

    /// The environment's label in a host that the rule matches, if it names another one than the rule serves.
    pub(super) fn other_environment<'u>(&self, host: &'u str, serves: Environment) -> Option<&'u str> {
        if self.host_can_name_environment {
            other_environment(host, Some(serves))
        } else {
            None
        }
    }

    /// Matches the rule with a request.
    pub(super) fn evaluate<'u>(&self, subject: Subject<'u>, captures: &mut Captures<'u>) -> Verdict<'u> {
        if !self.pattern.matches(subject, captures) {
            return Verdict::NoMatch;
        }
        let label = match self.environment {
            TargetEnvironment::Fixed(environment) => return Verdict::Decided(environment),
            TargetEnvironment::Captured(number) => captures.get(number),
        };
        match Environment::from_host_label(label) {
            Some(environment) => Verdict::Decided(environment),
            None if subject.alphabet == Alphabet::Witness && label == ANY_ENVIRONMENT => {
                Verdict::Decided(Environment::Production)
            }
            None => Verdict::EnvironmentUnknown { label },
        }
    }

    /// The same rule under `.localhost`, if its host is under `.do`.
    pub(super) fn under_localhost(&self) -> Option<Self> {
        let (host, path) = match self.pattern.text.find('/') {
            Some(at) => self.pattern.text.split_at_checked(at)?,
            None => (&*self.pattern.text, ""),
        };
        let text = [host.strip_suffix(".do")?, ".localhost", path].concat();
        let pattern = Pattern::parse(&text).ok()?;
        Some(Self {
            origin: self.origin,
            pattern,
            worker: self.worker.clone(),
            environment: self.environment,
            strip_prefix: self.strip_prefix,
            limits: self.limits,
            outbound: self.outbound.clone(),
            worker_capture: self.worker_capture,
            host_can_name_environment: self.host_can_name_environment,
        })
    }
}

impl fmt::Display for Rule {
    /// For logs and errors: where the rule comes from, and its pattern.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.origin, self.pattern())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes(index) => write!(f, "ROUTES[{index}]"),
            Self::BuiltIn => f.write_str("built-in"),
        }
    }
}
