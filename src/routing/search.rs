use std::borrow::Cow;

use dotdo_names::{Environment, WorkerName};

use super::index::Seeker;
use super::pattern::{Captures, Subject};
use super::refusal::Reason;
use super::rule::{Rule, Verdict};

/// Looks for the first rule that decides. Rules may be offered in any order: what counts is their number.
#[derive(Debug)]
pub(super) struct Search<'r, 'u> {
    rules: &'r [Rule],
    subject: Subject<'u>,
    decided: Option<Decided<'u>>,
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
        }
    }

    /// The first rule that decides.
    pub(super) fn decided(&self) -> Option<&Decided<'u>> {
        self.decided.as_ref()
    }
}

impl Seeker for Search<'_, '_> {
    const TAKES_ANY_ENVIRONMENT: bool = false;

    fn is_open(&self, number: usize) -> bool {
        self.decided
            .as_ref()
            .is_none_or(|decided| number < decided.number)
    }

    fn offer(&mut self, number: usize) {
        let Some(rule) = self.rules.get(number).filter(|_| self.is_open(number)) else {
            return;
        };
        let mut captures = Captures::default();
        if let Verdict::Decided(environment) = rule.judge(self.subject, &mut captures) {
            self.decided = Some(Decided {
                number,
                environment,
                captures,
            });
        }
    }
}

/// Looks for a rule of which all but `{env}` matched, once it is clear that a request gets no Worker: what it has to
/// say explains more than "no rule serves this host". Rules may be offered in any order.
#[derive(Debug)]
pub(super) struct NearMiss<'r, 'u> {
    rules: &'r [Rule],
    subject: Subject<'u>,
    /// The number of the rule that decided against the request, if one did.
    decided: Option<usize>,
    /// The first rule whose `{worker}`, if it has one, took a valid name, and the text that `{env}` took.
    found: Option<(usize, &'u str)>,
    /// The first rule of which neither `{env}` nor `{worker}` was valid. It is told only if there is nothing better.
    neither_valid: Option<(usize, &'u str)>,
}

impl<'r, 'u> NearMiss<'r, 'u> {
    pub(super) fn new(rules: &'r [Rule], subject: Subject<'u>, decided: Option<usize>) -> Self {
        Self {
            rules,
            subject,
            decided,
            found: None,
            neither_valid: None,
        }
    }

    /// The rule to name, and its complaint.
    ///
    /// Where a rule decided against the request, only one in front of it may complain, and only if it says more of the
    /// request: `{worker}--{env}.apis.do` explains `a--b.apis.do` better than `{worker}.apis.do` does, but
    /// `{env}.{worker}.do` does not explain `com.apis.do`.
    pub(super) fn complaint(&self) -> Option<(&'r Rule, Reason<'u>)> {
        let (number, label) = match self.decided {
            Some(_) => self.found,
            None => self.found.or(self.neither_valid),
        }?;
        let rule = self.rules.get(number)?;
        let label = Cow::Borrowed(label);
        Some((rule, Reason::NoEnvironment { label }))
    }

    fn says_more_than_the_decided(&self, rule: &Rule) -> bool {
        let decided = self.decided.and_then(|number| self.rules.get(number));
        decided.is_none_or(|decided| rule.pattern.literal_length() > decided.pattern.literal_length())
    }
}

impl Seeker for NearMiss<'_, '_> {
    const TAKES_ANY_ENVIRONMENT: bool = true;

    fn is_open(&self, number: usize) -> bool {
        let end = self.found.map(|(found, _)| found).or(self.decided);
        end.is_none_or(|end| number < end)
    }

    fn offer(&mut self, number: usize) {
        let Some(rule) = self.rules.get(number).filter(|_| self.is_open(number)) else {
            return;
        };
        let mut captures = Captures::default();
        let Verdict::EnvironmentUnknown { label } = rule.judge(self.subject, &mut captures) else {
            return;
        };
        if !self.says_more_than_the_decided(rule) {
            return;
        }
        let worker = rule.worker_capture().map(|worker| captures.get(worker));
        if worker.is_none_or(|worker| WorkerName::check(worker).is_ok()) {
            self.found = Some((number, label));
        } else if self.neither_valid.is_none_or(|(first, _)| number < first) {
            self.neither_valid = Some((number, label));
        }
    }
}
