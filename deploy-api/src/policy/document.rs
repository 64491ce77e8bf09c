//! The policy as it is written: JSON, whose schema is published as `policy.schema.json`.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Claim, GrantDocument};

/// The policy's frame. Rules stay text here, so that an error can name the rule it is in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frame<'a> {
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    pub version: u32,
    #[serde(borrow)]
    pub rules: Vec<&'a RawValue>,
}

/// A policy document. Nothing is allowed but by a rule.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is all that is taken from it")]
pub(super) struct PolicyDocument {
    /// The address of this schema, for editors.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// The version of the format.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    /// The rules. Their order decides only which of several that allow a request is put on record.
    #[schemars(length(max = super::load::MAX_RULES))]
    rules: Vec<RuleDocument>,
}

/// One rule: who may do what to which Workers of which namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RuleDocument {
    /// The rule's name, by which decisions and the audit log cite it. Unique within the policy.
    #[cfg_attr(test, schemars(regex(pattern = "^[a-z][a-z0-9-]{0,63}$")))]
    pub name: String,
    /// Why the rule exists, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom the rule is about.
    pub who: WhoDocument,
    /// The dispatch namespaces, by name.
    #[cfg_attr(test, schemars(with = "Vec<NamespaceName>", length(min = 1)))]
    pub namespaces: Vec<String>,
    /// The Workers: a name, `prefix-*` for every name that begins with `prefix-`, or `*` for every Worker.
    #[cfg_attr(test, schemars(length(min = 1), inner(length(min = 1, max = 63))))]
    pub workers: Vec<String>,
    /// What may be done to them. `admin` needs every namespace and the Workers `*`.
    #[cfg_attr(test, schemars(length(min = 1)))]
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

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum WhoDocument {
    /// Runs of GitHub Actions workflows whose every listed claim has the value, or one of the values, given here.
    Github(Box<ClaimsDocument>),
    /// API tokens made for this subject, or for one of these.
    Token(Values),
}

/// Claims of a GitHub run. All that are given must match; a list matches any of its members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimsDocument {
    /// The issuer of the token. Without it, GitHub Actions on github.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Values>,
    /// `owner/name`, for people to read. It never stands alone: names are recycled, ids are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Values>,
    /// The repository's number: `gh api repos/OWNER/NAME --jq .id`.
    #[cfg_attr(test, schemars(required))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<Values>,
    /// The owner's name, for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_owner: Option<Values>,
    /// The owner's number: `gh api repos/OWNER/NAME --jq .owner.id`.
    #[cfg_attr(test, schemars(required))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_owner_id: Option<Values>,
    /// `public`, `private` or `internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_visibility: Option<Values>,
    /// The full ref, `refs/heads/main`, or a literal prefix and one star at its end: `refs/tags/v*`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<Values>,
    /// `branch` or `tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_type: Option<Values>,
    /// `true` or `false`, as a text: whether the ref is protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_protected: Option<Values>,
    /// The job's GitHub environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Values>,
    /// What started the run. `pull_request_target`, `issue_comment` and `workflow_run` never reach production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<Values>,
    /// `owner/name/.github/workflows/file.yml@ref`, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_ref: Option<Values>,
    /// The same for the reusable workflow that the job comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_workflow_ref: Option<Values>,
    /// The account that started the run, for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Values>,
    /// That account's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Values>,
    /// `github-hosted` or `self-hosted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_environment: Option<Values>,
}

impl ClaimsDocument {
    /// The claims that are given, in the order in which they are explained.
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

/// A text, or a list of texts of which any will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Values(pub Vec<String>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [single] => serializer.serialize_str(single),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes (ids too) or a list of such texts")
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

#[cfg(test)]
impl schemars::JsonSchema for Values {
    fn inline_schema() -> bool {
        false
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A text, or a list of texts of which any will do.",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 }
            ]
        })
    }
}

/// A namespace's name, where the schema lists what may be written.
#[cfg(test)]
pub(super) struct NamespaceName;

#[cfg(test)]
impl schemars::JsonSchema for NamespaceName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Namespace".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": dotdo_names::Environment::ALL.map(dotdo_names::Environment::namespace) })
    }
}
