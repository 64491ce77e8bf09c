//! The subjects of API tokens that a policy names.

use std::collections::BTreeSet;

use super::{Policy, Rule, RuleName, Who};
use crate::identity::Subject;

impl Policy {
    /// Whether a rule names the subject.
    #[must_use]
    pub fn names_subject(&self, subject: &Subject) -> bool {
        self.subjects().any(|(_, named)| named == subject)
    }

    /// A warning for each subject in a rule for which there is no API token, and for each subject of an API token that no rule
    /// names. `holders` are the subjects of all API tokens that are valid. Both are probably a misspelt subject.
    #[must_use]
    pub fn subject_warnings(&self, holders: &BTreeSet<Subject>) -> Vec<String> {
        let without_token = self
            .subjects()
            .filter(|(_, subject)| !holders.contains(*subject))
            .map(|(rule, subject)| {
                format!(
                    "rule \"{rule}\" names the subject \"{subject}\", for which there is no valid API token"
                )
            });
        let without_rule = holders
            .iter()
            .filter(|subject| !self.names_subject(subject))
            .map(subject_without_rule);
        without_token.chain(without_rule).collect()
    }

    /// Every subject in a rule, with the rule.
    fn subjects(&self) -> impl Iterator<Item = (&RuleName, &Subject)> {
        self.rules.iter().flat_map(|Rule { name, who, .. }| {
            let subjects = match who {
                Who::Token(subjects) => subjects.as_slice(),
                Who::Job { .. } => &[],
            };
            subjects.iter().map(move |subject| (name, subject))
        })
    }
}

/// The warning about an API token whose subject no rule names.
#[must_use]
pub fn subject_without_rule(subject: &Subject) -> String {
    format!("no rule of the policy names the subject \"{subject}\", so its API tokens allow nothing")
}
