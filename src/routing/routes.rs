use std::borrow::Cow;

use super::limits::Limits;
use super::outbound::Outbound;
use super::problem::Problem;
use super::rule::{Origin, Rule, Written};
use super::rules_error::RulesError;
use crate::json::{JsonError, Kind, Value};

/// Parses `ROUTES`, each rule for itself: whether one takes everything from another is the index's business.
pub(super) fn parse(routes: &str) -> Result<Vec<Rule>, RulesError> {
    let rules = Value::parse(routes)
        .and_then(|routes| routes.into_array("the value"))
        .map_err(RulesError::NotAnArray)?;
    rules
        .into_iter()
        .enumerate()
        .map(|(index, rule)| parse_rule(Origin::Routes(index), rule))
        .collect()
}

fn parse_rule(origin: Origin, rule: Value<'_>) -> Result<Rule, RulesError> {
    let pattern = pattern(&rule).map(ToString::to_string);
    RouteJson::read(rule)
        .and_then(|rule| Rule::parse(origin, rule.written()))
        .map_err(|problem| RulesError::Rule {
            rule: match pattern {
                Some(pattern) => format!("{origin} `{pattern}`"),
                None => origin.to_string(),
            },
            problem,
        })
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
    fn read(rule: Value<'t>) -> Result<Self, Problem> {
        let mut members = rule.into_members("the value").map_err(Problem::Json)?;
        let mut take = |key| members.take(key).map_err(Problem::Json);
        let limits = take("limits")?.map(Limits::read).transpose()?;
        let outbound = take("outbound")?.as_ref().map(Outbound::read).transpose()?;
        let read = || -> Result<Self, JsonError> {
            let environment = members.take("environment")?;
            let strip_prefix = members.take("strip_prefix")?;
            let rule = Self {
                pattern: members.require("pattern")?.into_string("\"pattern\"")?,
                worker: members.require("worker")?.into_string("\"worker\"")?,
                environment: environment
                    .map(|value| value.into_string("\"environment\""))
                    .transpose()?,
                strip_prefix: strip_prefix.map_or(Ok(false), |value| value.to_boolean("\"strip_prefix\""))?,
                limits,
                outbound,
            };
            members.finish()?;
            Ok(rule)
        };
        read().map_err(Problem::Json)
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
