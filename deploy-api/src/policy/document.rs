//! The policy as it is written: JSON, whose schema is published as `policy.schema.json`.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Claim, GrantDocument};

/// The policy's frame. Rules stay text here, so that an error can name the rule it is in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with \"version\" and \"rules\"")]
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
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Rule"))]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct RuleDocument {
    /// The rule's name, by which decisions and the audit log cite it. Unique within the policy.
    #[cfg_attr(test, schemars(regex(pattern = "^[a-z][a-z0-9-]{0,63}$")))]
    pub name: String,
    /// Why the rule exists, for people.
    #[serde(rename = "description")]
    _description: Option<String>,
    /// Whom the rule is about.
    pub who: WhoDocument,
    /// The dispatch namespaces, by name.
    #[cfg_attr(test, schemars(with = "Vec<NamespaceName>", length(min = 1)))]
    pub namespaces: Vec<String>,
    /// The Workers: a name, `prefix-*` for every name that begins with `prefix-`, or `*` for every Worker.
    #[cfg_attr(test, schemars(length(min = 1), inner(regex(pattern = WORKER_PATTERN))))]
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
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Who"))]
#[serde(rename_all = "lowercase")]
pub(super) enum WhoDocument {
    /// Runs of GitHub Actions workflows whose every listed claim has the value, or one of the values, given here.
    Github(Box<ClaimsDocument>),
    /// API tokens made for this subject, or for one of these.
    Token(Values),
}

/// Claims of a GitHub run. All that are given must match; a list matches any of its members.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Claims", extend("required" = ["repository_id", "repository_owner_id"])))]
#[serde(deny_unknown_fields, expecting = "an object of claims")]
pub(super) struct ClaimsDocument {
    /// The issuer of the token. Without it, GitHub Actions on github.com.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub issuer: Option<Values>,
    /// `owner/name`, for people to read. It never stands alone: names are recycled, ids are not.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub repository: Option<Values>,
    /// The repository's number: `gh api repos/OWNER/NAME --jq .id`.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub repository_id: Option<Values>,
    /// The owner's name, for people to read.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub repository_owner: Option<Values>,
    /// The owner's number: `gh api repos/OWNER/NAME --jq .owner.id`.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub repository_owner_id: Option<Values>,
    /// `public`, `private` or `internal`.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub repository_visibility: Option<Values>,
    /// The full ref, `refs/heads/main`, or a literal prefix and one star at its end: `refs/tags/v*`.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, rename = "ref", deserialize_with = "given")]
    pub git_ref: Option<Values>,
    /// `branch` or `tag`.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub ref_type: Option<Values>,
    /// `true` or `false`, as a text: whether the ref is protected.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub ref_protected: Option<Values>,
    /// The job's GitHub environment.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub environment: Option<Values>,
    /// What started the run. `pull_request_target`, `issue_comment` and `workflow_run` never reach production.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub event_name: Option<Values>,
    /// `owner/name/.github/workflows/file.yml@ref`, in full.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub workflow_ref: Option<Values>,
    /// The same for the reusable workflow that the job comes from.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub job_workflow_ref: Option<Values>,
    /// The account that started the run, for people to read.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub actor: Option<Values>,
    /// That account's number.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
    pub actor_id: Option<Values>,
    /// `github-hosted` or `self-hosted`.
    #[cfg_attr(test, schemars(with = "Values"))]
    #[serde(default, deserialize_with = "given")]
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
#[derive(Debug)]
pub(super) struct Values(pub Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

/// A claim that is written. `null` is an error: it would read as a condition and be none.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Values>, D::Error> {
    Values::deserialize(deserializer).map(Some)
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

/// The form of [`WorkerPattern`](super::WorkerPattern), which the schema tells editors.
#[cfg(test)]
pub(super) const WORKER_PATTERN: &str = r"^(\*|[a-z0-9]([a-z0-9-]*[a-z0-9])?|[a-z0-9][a-z0-9-]*-\*)$";

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

#[cfg(test)]
mod tests {
    use super::PolicyDocument;

    #[test]
    fn the_published_schema_is_that_of_the_types() {
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
