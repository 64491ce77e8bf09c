use dotdo_names::Environment;

use super::captures::Captures;
use super::pattern::Subject;
use super::rule::{Rule, Verdict};

/// The best rules for one request so far. Rules may be offered in any order: what counts is their number.
#[derive(Debug)]
pub(super) struct Search<'r, 'u> {
    rules: &'r [Rule],
    subject: Subject<'u>,
    /// The first rule that decides.
    decided: Option<Decided<'u>>,
    /// The first rule of which all but `{env}` matched.
    environment_unknown: Option<usize>,
    /// The first rule of which neither `{env}` nor `{worker}` was valid. It is told only if there is nothing better.
    neither_valid: Option<usize>,
}

/// A rule that decides, and what it took from the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided<'u> {
    pub(super) number: usize,
    pub(super) environment: Environment,
    pub(super) captures: Captures<'u>,
}

impl<'r, 'u> Search<'r, 'u> {
    pub(super) fn new(rules: &'r [Rule], subject: Subject<'u>) -> Self {
        Self {
            rules,
            subject,
            decided: None,
            environment_unknown: None,
            neither_valid: None,
        }
    }

    pub(super) fn subject(&self) -> Subject<'u> {
        self.subject
    }

    /// Whether a rule with that number, or a later one, could still change the result.
    pub(super) fn is_open(&self, number: usize) -> bool {
        self.decided.is_none_or(|decided| number < decided.number)
    }

    /// Lets a rule judge the request.
    pub(super) fn offer(&mut self, number: usize) {
        if !self.is_open(number) {
            return;
        }
        let Some(rule) = self.rules.get(number) else {
            return;
        };
        let mut captures = Captures::default();
        let first = |slot: Option<usize>| Some(slot.map_or(number, |first| first.min(number)));
        match rule.judge(self.subject, &mut captures) {
            Verdict::Passed => {}
            Verdict::Decided(environment) => {
                self.decided = Some(Decided {
                    number,
                    environment,
                    captures,
                });
            }
            Verdict::EnvironmentUnknown {
                worker_valid: true, ..
            } => {
                self.environment_unknown = first(self.environment_unknown);
            }
            Verdict::EnvironmentUnknown {
                worker_valid: false, ..
            } => self.neither_valid = first(self.neither_valid),
        }
    }

    /// The first rule that decides.
    pub(super) fn decided(&self) -> Option<Decided<'u>> {
        self.decided
    }

    /// The rule whose `{env}` to complain of, if nothing is to be routed. Where a rule decided against the request, it
    /// must stand in front of that one and say more of the request: `{worker}--{env}.apis.do` explains
    /// `a--b.apis.do` better than `{worker}.apis.do` does, but `{worker}.{env}.do` does not explain `com.apis.do`.
    pub(super) fn nearest_miss(&self) -> Option<usize> {
        let Some(decided) = self.decided else {
            return self.environment_unknown.or(self.neither_valid);
        };
        let literal_length = |number: usize| Some(self.rules.get(number)?.pattern.literal_length());
        self.environment_unknown.filter(|&number| {
            number < decided.number && literal_length(number) > literal_length(decided.number)
        })
    }
}
