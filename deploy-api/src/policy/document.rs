//! The JSON format of a policy. Its schema is published as `policy.schema.json`.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Claim, GrantDocument};
use crate::schema::{NamespaceName, WORKER_PATTERN};

/// The outer object of a policy. Rules are kept as unparsed text, so that an error can name the rule that contains it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with \"version\" and \"rules\"")]
pub(super) struct Frame<'a> {
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    pub version: u32,
    #[serde(borrow)]
    pub rules: Vec<&'a RawValue>,
}

/// A policy document. A request is allowed only if a rule allows it.
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Policy", deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema is derived from it")]
pub(crate) struct PolicyDocument {
    /// The URL of this schema, for editors.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// The version of the format.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    /// The rules. If several rules allow a request, the audit log names the first of them; the order has no other effect.
    #[schemars(length(max = super::load::MAX_RULES))]
    rules: Vec<RuleDocument>,
}

/// A [`PolicyDocument`] in a response. Its schema is the schema of the request that stores a policy.
pub(crate) struct SchemaOfPolicy;

impl schemars::JsonSchema for SchemaOfPolicy {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "$ref": "#/components/schemas/Policy" })
    }
}

/// One rule: which identities may do which actions to which Workers of which namespaces.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Rule")]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct RuleDocument {
    /// The name of the rule in decisions and in the audit log. Unique within the policy.
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{0,63}$"))]
    pub name: String,
    /// A description of the rule, for readers. It has no effect.
    #[serde(rename = "description")]
    _description: Option<String>,
    /// The identities that the rule applies to.
    pub who: WhoDocument,
    /// The dispatch namespaces, by name.
    #[schemars(with = "Vec<NamespaceName>", length(min = 1))]
    pub namespaces: Vec<String>,
    /// The Workers: a name, `prefix-*` for every name that starts with `prefix-`, or `*` for every Worker.
    #[schemars(length(min = 1), inner(regex(pattern = WORKER_PATTERN)))]
    pub workers: Vec<String>,
    /// The allowed actions. `admin` requires every namespace and the Workers `*`.
    #[schemars(length(min = 1))]
    pub actions: Vec<super::Action>,
}

impl RuleDocument {
    pub fn grant(&self) -> GrantDocument {
        GrantDocument {
            namespaces: self.namespaces.clone(),
            workers: self.workers.clone(),
            actions: self.actions.clone(),
        }
    }
}

/// The identities that a rule applies to.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Who")]
#[serde(rename_all = "lowercase")]
pub(super) enum WhoDocument {
    /// Runs of GitHub Actions workflows. Each listed claim must have the value, or one of the values, given here.
    Github(Box<ClaimsDocument>),
    /// API tokens of this subject, or of one of these subjects.
    Token(Values),
}

/// Claims of a GitHub run. All listed claims must match. A list matches if one of its values matches.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Claims", extend("required" = ["repository_id", "repository_owner_id"]))]
#[serde(deny_unknown_fields, expecting = "an object with claims")]
pub(super) struct ClaimsDocument {
    /// The issuer of the token. Default: GitHub Actions on github.com.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub issuer: Option<Values>,
    /// `owner/name`, for readability, compared without case. The ids are required as well, because a name can be reused by another repository.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository: Option<Values>,
    /// The numeric id of the repository: `gh api repos/OWNER/NAME --jq .id`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_id: Option<Values>,
    /// The name of the owner, for readability, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_owner: Option<Values>,
    /// The numeric id of the owner: `gh api repos/OWNER/NAME --jq .owner.id`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_owner_id: Option<Values>,
    /// `public`, `private` or `internal`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub repository_visibility: Option<Values>,
    /// The full ref, such as `refs/heads/main`, or a prefix followed by one `*`, such as `refs/tags/v*`.
    #[schemars(with = "Values")]
    #[serde(default, rename = "ref", deserialize_with = "given")]
    pub git_ref: Option<Values>,
    /// `branch` or `tag`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub ref_type: Option<Values>,
    /// Whether the ref is protected: the string `true` or `false`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub ref_protected: Option<Values>,
    /// The GitHub environment of the job, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub environment: Option<Values>,
    /// The event that started the run. `pull_request_target`, `issue_comment` and `workflow_run` are never allowed in production.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub event_name: Option<Values>,
    /// The workflow file: the full value `owner/name/.github/workflows/file.yml@ref`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub workflow_ref: Option<Values>,
    /// The reusable workflow that contains the job, in the same format as `workflow_ref`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub job_workflow_ref: Option<Values>,
    /// The name of the account that started the run, for readability, compared without case.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub actor: Option<Values>,
    /// The numeric id of the account that started the run.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub actor_id: Option<Values>,
    /// `github-hosted` or `self-hosted`.
    #[schemars(with = "Values")]
    #[serde(default, deserialize_with = "given")]
    pub runner_environment: Option<Values>,
}

impl ClaimsDocument {
    /// The claims that the rule lists, in the order in which an explanation shows them.
    pub fn given(&self) -> impl Iterator<Item = (Claim, &Values)> {
        [
            (Claim::Issuer, &self.issuer),
            (Claim::RepositoryId, &self.repository_id),
            (Claim::RepositoryOwnerId, &self.repository_owner_id),
            (Claim::Repository, &self.repository),
            (Claim::RepositoryOwner, &self.repository_owner),
            (Claim::RepositoryVisibility, &self.repository_visibility),
            (Claim::Ref, &self.git_ref),
            (Claim::RefType, &self.ref_type),
            (Claim::RefProtected, &self.ref_protected),
            (Claim::Environment, &self.environment),
            (Claim::EventName, &self.event_name),
            (Claim::WorkflowRef, &self.workflow_ref),
            (Claim::JobWorkflowRef, &self.job_workflow_ref),
            (Claim::Actor, &self.actor),
            (Claim::ActorId, &self.actor_id),
            (Claim::RunnerEnvironment, &self.runner_environment),
        ]
        .into_iter()
        .filter_map(|(claim, values)| values.as_ref().map(|values| (claim, values)))
    }
}

/// One string, or a list of alternative strings.
#[derive(Debug)]
pub(super) struct Values(pub Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

/// Deserializes a claim that is present. `null` is an error: it looks like a condition, but would not be checked.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Values>, D::Error> {
    Values::deserialize(deserializer).map(Some)
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string (ids too) or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
        Ok(Values(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Values(values))
    }
}

impl schemars::JsonSchema for Values {
    fn inline_schema() -> bool {
        false
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "One string, or a list of alternative strings.",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::PolicyDocument;

    #[test]
    fn the_published_schema_matches_the_types() {
        let mut schema = schemars::schema_for!(PolicyDocument);
        schema.insert(
            "$id".to_owned(),
            "https://raw.githubusercontent.com/drivly/dispatch.do/main/deploy-api/policy.schema.json".into(),
        );
        schema.insert("title".to_owned(), "Deploy policy of the .do platform".into());
        let generated = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &generated).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            published, generated,
            "run `UPDATE_SCHEMA=1 cargo test -p deploy-api schema`"
        );
    }
}
