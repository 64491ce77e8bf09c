use std::borrow::Cow;

use super::limits::Limits;
use super::outbound::Outbound;
use super::problem::Problem;
use super::rule::{Origin, Rule, Written};
use super::rules_error::{RulesError, told};
use crate::json::{Kind, Value};

/// Parses `ROUTES`, each rule for itself: whether one takes everything from another is the index's business.
pub(super) fn parse(routes: &str) -> Result<Vec<Rule>, RulesError> {
    let rules = Value::parse(routes)
        .and_then(Value::into_array)
        .map_err(RulesError::NotAnArray)?;
    rules
        .into_iter()
        .enumerate()
        .map(|(index, rule)| parse_rule(Origin::Routes(index), rule))
        .collect()
}

fn parse_rule(origin: Origin, rule: Value<'_>) -> Result<Rule, RulesError> {
    let pattern = pattern(&rule).map(ToString::to_string);
    let wrong = |problem: &Problem<'_>| RulesError::Rule {
        rule: match &pattern {
            Some(pattern) => format!("{origin} `{pattern}`"),
            None => origin.to_string(),
        },
        problem: told(problem),
    };
    let json = RouteJson::read(rule).map_err(|problem| wrong(&problem))?;
    Rule::parse(origin, json.written()).map_err(|problem| wrong(&problem))
}

/// As much of a rule as it takes to name it in an error.
fn pattern<'v>(rule: &'v Value<'_>) -> Option<&'v str> {
    let Kind::Object(members) = &rule.kind else {
        return None;
    };
    members.iter().find_map(|(key, value)| match &value.kind {
        Kind::String(pattern) if key == "pattern" => Some(&**pattern),
        _ => None,
    })
}

/// One element of `ROUTES`.
struct RouteJson<'t> {
    pattern: Cow<'t, str>,
    worker: Cow<'t, str>,
    environment: Option<Cow<'t, str>>,
    strip_prefix: bool,
    limits: Option<Limits>,
    outbound: Option<Outbound>,
}

impl<'t> RouteJson<'t> {
    fn read(rule: Value<'t>) -> Result<Self, Problem<'static>> {
        let mut members = rule.into_members()?;
        let rule = Self {
            pattern: members.required_string("pattern")?,
            worker: members.required_string("worker")?,
            environment: members.string("environment")?,
            strip_prefix: members.boolean("strip_prefix")?.unwrap_or(false),
            limits: Limits::take(&mut members)?,
            outbound: Outbound::take(&mut members)?,
        };
        members.finish()?;
        Ok(rule)
    }

    fn written(&self) -> Written<'_> {
        Written {
            pattern: &self.pattern,
            worker: &self.worker,
            environment: self.environment.as_deref().unwrap_or("production"),
            strip_prefix: self.strip_prefix,
            limits: self.limits,
            outbound: self.outbound.clone(),
        }
    }
}
