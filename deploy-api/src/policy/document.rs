//! The JSON format of a policy. Its schema is published as `policy.schema.json`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::GrantDocument;
use super::claims_document::{BuildkiteClaims, GitHubClaims, GitLabClaims, Values};
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

/// The maximum number of rules. Each request is compared with each rule.
pub const MAX_RULES: usize = 1000;

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
    #[schemars(length(max = MAX_RULES))]
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
    /// The dispatch namespaces, by name; `account` for the Workers of the platform itself.
    #[schemars(with = "Vec<NamespaceName>", length(min = 1))]
    pub namespaces: Vec<String>,
    /// The Workers: a name, `prefix-*` for every name that starts with `prefix-`, or `*` for every Worker.
    #[schemars(length(min = 1), inner(regex(pattern = WORKER_PATTERN)))]
    pub workers: Vec<String>,
    /// The allowed actions. `admin` requires every dispatch namespace and the Workers `*`.
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
    Github(Box<GitHubClaims>),
    /// Jobs of GitLab CI.
    Gitlab(Box<GitLabClaims>),
    /// Jobs of Buildkite.
    Buildkite(Box<BuildkiteClaims>),
    /// API tokens of this subject, or of one of these subjects.
    Token(Values),
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
