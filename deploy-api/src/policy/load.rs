use std::collections::HashSet;

use dotdo_names::Namespace;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::claims_document::Values;
use super::document::{Frame, MAX_RULES, RuleDocument, WhoDocument};
use super::production::production_defects;
use super::{
    Claim, Condition, Defect, Expected, Grant, Policy, PolicyError, PolicyErrors, RefPattern, Rule, RuleName,
    Who,
};
use crate::identity::{Provider, Subject};

/// The maximum length of a policy document, in bytes.
pub const MAX_POLICY: usize = 256 * 1024;

/// See [`Policy::load`].
pub(super) fn load(json: &str) -> Result<Policy, PolicyErrors> {
    let frame = read_frame(json).map_err(|error| PolicyErrors(vec![error]))?;
    let mut errors = Vec::new();
    let mut names = HashSet::new();
    let mut rules = Vec::new();
    for (index, text) in frame.rules.iter().enumerate() {
        match load_rule(text, line_of(json, text)) {
            Ok(rule) if names.insert(rule.name.clone()) => rules.push(rule),
            Ok(rule) => errors.push(PolicyError::Rule {
                rule: format!("\"{}\" (number {})", rule.name, index + 1),
                defect: Defect::NameTwice,
            }),
            Err(defects) => {
                let rule = name_of(text)
                    .map_or_else(|| format!("number {}", index + 1), |name| format!("\"{name}\""));
                errors.extend(defects.into_iter().map(|defect| PolicyError::Rule {
                    rule: rule.clone(),
                    defect,
                }));
            }
        }
    }
    if errors.is_empty() {
        Ok(Policy { rules })
    } else {
        Err(PolicyErrors(errors))
    }
}

fn read_frame(json: &str) -> Result<Frame<'_>, PolicyError> {
    if json.len() > MAX_POLICY {
        return Err(PolicyError::TooLong {
            bytes: json.len(),
            limit: MAX_POLICY,
        });
    }
    let frame: Frame =
        serde_json::from_str(json).map_err(|error| PolicyError::Unreadable(error.to_string()))?;
    if frame.version != 1 {
        return Err(PolicyError::Version(frame.version));
    }
    if frame.rules.len() > MAX_RULES {
        return Err(PolicyError::TooManyRules {
            rules: frame.rules.len(),
            limit: MAX_RULES,
        });
    }
    Ok(frame)
}

/// The name of a rule whose other members may be invalid. `None` if the name is invalid too.
fn name_of(text: &RawValue) -> Option<RuleName> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let named: Named = serde_json::from_str(text.get()).ok()?;
    RuleName::parse(&named.name).ok()
}

/// The line of the document (from 1) at which a rule starts.
fn line_of(json: &str, rule: &RawValue) -> usize {
    // The text of the rule is a slice of the document.
    let offset = rule.get().as_ptr().addr().saturating_sub(json.as_ptr().addr());
    1 + json.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Makes a defect whose line number is that of the document, not that of the rule.
fn unreadable(error: &serde_json::Error, first_line: usize) -> Defect {
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let line = first_line + error.line().saturating_sub(1);
    Defect::Unreadable(format!(
        "{} (line {line})",
        message.strip_suffix(&position).unwrap_or(&message)
    ))
}

fn load_rule(text: &RawValue, first_line: usize) -> Result<Rule, Vec<Defect>> {
    let document: RuleDocument =
        serde_json::from_str(text.get()).map_err(|error| vec![unreadable(&error, first_line)])?;
    let mut defects = Vec::new();
    let name = RuleName::parse(&document.name).map_err(|error| defects.push(error.into()));
    let grant =
        Grant::load(&document.grant()).map_err(|errors| defects.extend(errors.into_iter().map(Defect::from)));
    let who = match &document.who {
        WhoDocument::Github(claims) => load_job(Provider::GitHub, claims.given(), &document, &mut defects),
        WhoDocument::Gitlab(claims) => load_job(Provider::GitLab, claims.given(), &document, &mut defects),
        WhoDocument::Buildkite(claims) => {
            load_job(Provider::Buildkite, claims.given(), &document, &mut defects)
        }
        WhoDocument::Token(subjects) => {
            if subjects.0.is_empty() {
                defects.push(Defect::NoValue("token"));
            }
            Who::Token(
                subjects
                    .0
                    .iter()
                    .filter_map(|text| {
                        Subject::parse(text)
                            .map_err(|error| defects.push(error.into()))
                            .ok()
                    })
                    .collect(),
            )
        }
    };
    match (name, grant) {
        (Ok(name), Ok(grant)) if defects.is_empty() => Ok(Rule { name, who, grant }),
        _ => Err(defects),
    }
}

fn load_job<'a>(
    provider: Provider,
    given: impl Iterator<Item = (Claim, &'a Values)>,
    document: &RuleDocument,
    defects: &mut Vec<Defect>,
) -> Who {
    let given: Vec<_> = given.collect();
    let lists = |claim: Claim| given.iter().any(|(listed, _)| *listed == claim);
    let mut conditions = Vec::new();
    if !lists(Claim::Issuer) {
        conditions.push(Condition::exactly(Claim::Issuer, provider.issuer()));
    }
    for (claim, values) in &given {
        match load_values(*claim, values) {
            Ok(expected) => conditions.push(Condition {
                claim: *claim,
                expected,
            }),
            Err(defect) => defects.push(defect),
        }
    }
    let missing = Claim::required(provider)
        .into_iter()
        .filter(|claim| !lists(*claim));
    defects.extend(missing.map(Defect::IdMissing));
    if document
        .namespaces
        .iter()
        .filter_map(|name| Namespace::from_name(name))
        .any(Namespace::is_production)
    {
        defects.extend(production_defects(&conditions));
    }
    Who::Job { provider, conditions }
}

fn load_values(claim: Claim, values: &Values) -> Result<Vec<Expected>, Defect> {
    if values.0.is_empty() {
        return Err(Defect::NoValue(claim.name()));
    }
    let mut expected = values
        .0
        .iter()
        .map(|value| load_value(claim, value))
        .collect::<Result<Vec<_>, _>>()?;
    expected.sort_unstable();
    expected.dedup();
    Ok(expected)
}

fn load_value(claim: Claim, value: &str) -> Result<Expected, Defect> {
    let value = value.to_owned();
    if claim == Claim::Ref {
        return RefPattern::parse(&value)
            .map(Expected::Ref)
            .map_err(|reason| Defect::Ref { value, reason });
    }
    if claim.is_id() && (value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Defect::IdNotANumber { claim, value });
    }
    if value.contains(['*', '?']) || value.is_empty() {
        return Err(Defect::Pattern { claim, value });
    }
    Ok(Expected::Exactly(value))
}
