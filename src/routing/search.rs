use dotdo_names::Environment;

use super::captures::Captures;
use super::index::Seeker;
use super::pattern::Subject;
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
