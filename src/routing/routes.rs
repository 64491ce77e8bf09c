//! `ROUTES`: reads the rules, and reports every problem at once.

use std::fmt;

use serde_json::value::RawValue;
use thiserror::Error;

use super::invalid_member::{InvalidMember, InvalidMembers};
use super::members::{self, ObjectReader};
use super::rule::{Origin, Rule, RuleSource};
use super::target::{Limits, Outbound};

/// Why `ROUTES` cannot be loaded: every problem in it, in the order of the rules. No rule is loaded then.
#[derive(Debug, Error)]
pub struct RulesError(Vec<RulesProblem>);

/// One problem in `ROUTES`. Its text is one sentence.
#[derive(Debug, Error)]
pub enum RulesProblem {
    /// The text is not JSON. The error has the line and the column.
    #[error("ROUTES is not a JSON array of rules: {0}")]
    NotJson(serde_json::Error),
    /// The text is JSON, but not an array.
    #[error("ROUTES is not a JSON array of rules: expected an array, found {found}")]
    NotAnArray {
        /// The value, or its type.
        found: String,
    },
    /// A rule is invalid in itself.
    #[error("{rule}: {problem}")]
    Invalid {
        /// The rule's index in `ROUTES`, and its pattern if that is readable.
        rule: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// An earlier rule matches every request that a rule matches.
    #[error(
        "{rule} is unreachable, because {shadowing} matches every request that it matches: move it in front of that rule, or \
         remove it"
    )]
    Unreachable {
        /// The index and the pattern of the unreachable rule.
        rule: String,
        /// The index and the pattern of the rule that shadows it.
        shadowing: String,
    },
}

impl RulesError {
    /// From at least one problem.
    pub(super) fn new(problems: Vec<RulesProblem>) -> Self {
        Self(problems)
    }

    /// Each problem, in the order of the rules; at least one.
    pub fn problems(&self) -> impl Iterator<Item = &RulesProblem> {
        self.0.iter()
    }
}

impl fmt::Display for RulesError {
    /// One problem is one sentence; several are a line with their number and a line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.0.as_slice() {
            return problem.fmt(f);
        }
        write!(f, "ROUTES has {} problems:", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl From<RulesProblem> for RulesError {
    fn from(problem: RulesProblem) -> Self {
        Self(vec![problem])
    }
}

/// The JSON of each rule, not yet read.
pub(super) fn elements(routes: &str) -> Result<Vec<&RawValue>, RulesProblem> {
    let value: &RawValue = serde_json::from_str(routes).map_err(RulesProblem::NotJson)?;
    if value.get().starts_with('[') {
        serde_json::from_str(value.get()).map_err(RulesProblem::NotJson)
    } else {
        let found = members::found(value);
        Err(RulesProblem::NotAnArray { found })
    }
}

/// Reads one rule; the others play no part.
///
/// # Errors
/// Every wrong member; if there is none, the first mistake in the pattern or the target.
pub(super) fn parse_rule(index: usize, json: &RawValue) -> Result<Rule, Vec<RulesProblem>> {
    let origin = Origin::Routes(index);
    let mut object =
        ObjectReader::new(json).map_err(|members| invalid_members(&origin.to_string(), &members))?;
    let pattern = object.required_string("pattern");
    let worker = object.required_string("worker");
    let environment = object.string("environment");
    let strip_prefix = object.boolean("strip_prefix");
    let limits = Limits::read(&mut object);
    let outbound = Outbound::read(&mut object);

    let rule = match &pattern {
        Some(pattern) => format!("{origin} `{pattern}`"),
        None => origin.to_string(),
    };
    object
        .finish()
        .map_err(|members| invalid_members(&rule, &members))?;
    let source = RuleSource {
        // `finish` has reported a pattern or a Worker that is missing.
        pattern: pattern.as_deref().unwrap_or_default(),
        worker: worker.as_deref().unwrap_or_default(),
        environment: environment.as_deref().unwrap_or("production"),
        strip_prefix: strip_prefix.unwrap_or(false),
        limits,
        outbound,
    };
    Rule::parse(origin, source).map_err(|problem| {
        vec![RulesProblem::Invalid {
            rule: rule.clone(),
            problem: problem.to_string(),
        }]
    })
}

fn invalid_members(rule: &str, members: &InvalidMembers) -> Vec<RulesProblem> {
    let problem = |member: &InvalidMember| RulesProblem::Invalid {
        rule: rule.to_owned(),
        problem: member.to_string(),
    };
    members.iter().map(problem).collect()
}
