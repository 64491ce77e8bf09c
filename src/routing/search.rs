use std::borrow::Cow;

use dotdo_names::{Environment, WorkerName};

use super::index::RuleVisitor;
use super::pattern::{Captures, Subject};
use super::refusal::Reason;
use super::rule::{Rule, Verdict};

/// Finds the first rule that decides a request. Rules may be visited in any order; their numbers give the precedence.
#[derive(Debug)]
pub(super) struct Search<'r, 'u> {
    rules: &'r [Rule],
    subject: Subject<'u>,
    decided: Option<Decided<'u>>,
}

/// The rule that decides a request, and its captures.
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

    /// The first rule that decides the request.
    pub(super) fn decided(&self) -> Option<&Decided<'u>> {
        self.decided.as_ref()
    }
}

impl RuleVisitor for Search<'_, '_> {
    const ANY_ENVIRONMENT_LABEL: bool = false;

    fn is_open(&self, number: usize) -> bool {
        self.decided
            .as_ref()
            .is_none_or(|decided| number < decided.number)
    }

    fn visit(&mut self, number: usize) {
        let Some(rule) = self.rules.get(number).filter(|_| self.is_open(number)) else {
            return;
        };
        let mut captures = Captures::default();
        if let Verdict::Decided(environment) = rule.evaluate(self.subject, &mut captures) {
            self.decided = Some(Decided {
                number,
                environment,
                captures,
            });
        }
    }
}

/// Finds a rule that matches a refused request except for `{env}`, because "`qa` is not an environment" explains more
/// than "no rule serves this host". Rules may be visited in any order.
#[derive(Debug)]
pub(super) struct NearMiss<'r, 'u> {
    rules: &'r [Rule],
    subject: Subject<'u>,
    /// The number of the rule that refused the request, if there is one.
    decided: Option<usize>,
    /// The first rule whose `{worker}`, if it has one, matched a valid name, and the text of `{env}`.
    found: Option<(usize, &'u str)>,
    /// The first rule for which neither `{env}` nor `{worker}` is valid. It is reported only if there is no better one.
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

    /// The rule to report, and the reason for the refusal.
    ///
    /// If a rule refused the request, only an earlier and more specific rule is reported instead:
    /// `{worker}--{env}.apis.do` explains `a--b.apis.do` better than `{worker}.apis.do` does, but `{env}.{worker}.do`
    /// does not explain `com.apis.do`.
    pub(super) fn reason(&self) -> Option<(&'r Rule, Reason<'u>)> {
        let (number, label) = match self.decided {
            Some(_) => self.found,
            None => self.found.or(self.neither_valid),
        }?;
        let rule = self.rules.get(number)?;
        let label = Cow::Borrowed(label);
        Some((rule, Reason::UnknownEnvironment { label }))
    }

    /// Whether the rule is more specific than the one that refused the request.
    fn is_more_specific(&self, rule: &Rule) -> bool {
        let decided = self.decided.and_then(|number| self.rules.get(number));
        decided.is_none_or(|decided| rule.pattern.literal_length() > decided.pattern.literal_length())
    }
}

impl RuleVisitor for NearMiss<'_, '_> {
    const ANY_ENVIRONMENT_LABEL: bool = true;

    fn is_open(&self, number: usize) -> bool {
        let end = self.found.map(|(found, _)| found).or(self.decided);
        end.is_none_or(|end| number < end)
    }

    fn visit(&mut self, number: usize) {
        let Some(rule) = self.rules.get(number).filter(|_| self.is_open(number)) else {
            return;
        };
        let mut captures = Captures::default();
        let Verdict::EnvironmentUnknown { label } = rule.evaluate(self.subject, &mut captures) else {
            return;
        };
        if !self.is_more_specific(rule) {
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
