use serde::Deserialize;
use serde_json::value::RawValue;

use super::limits::Limits;
use super::outbound::Outbound;
use super::problem::Problem;
use super::rule::{Origin, Rule, Written};
use super::rules_error::RulesError;

/// One element of `ROUTES`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteJson {
    pattern: String,
    worker: String,
    environment: Option<String>,
    #[serde(default)]
    strip_prefix: bool,
    limits: Option<Limits>,
    outbound: Option<Outbound>,
}

/// As much of a rule as it takes to name it in an error.
#[derive(Deserialize)]
struct PatternOnly {
    pattern: String,
}

/// Parses `ROUTES`, each rule for itself: whether one takes everything from another is the index's business.
pub(super) fn parse(routes: &str) -> Result<Vec<Rule>, RulesError> {
    let rules: Vec<&RawValue> = serde_json::from_str(routes).map_err(RulesError::NotAnArray)?;
    rules
        .iter()
        .enumerate()
        .map(|(index, rule)| parse_rule(index, rule.get()))
        .collect()
}

fn parse_rule(index: usize, text: &str) -> Result<Rule, RulesError> {
    let origin = Origin::Routes(index);
    let rule = || serde_json::from_str::<RouteJson>(text).map_err(Problem::Json);
    let parsed = rule().and_then(|rule| {
        let written = Written {
            pattern: &rule.pattern,
            worker: &rule.worker,
            environment: rule.environment.as_deref().unwrap_or("production"),
            strip_prefix: rule.strip_prefix,
            limits: rule.limits,
            outbound: rule.outbound,
        };
        Rule::parse(origin, written)
    });
    parsed.map_err(|problem| RulesError::Rule {
        rule: match serde_json::from_str::<PatternOnly>(text) {
            Ok(PatternOnly { pattern }) => format!("{origin} `{pattern}`"),
            Err(_) => origin.to_string(),
        },
        problem,
    })
}
