//! The policy: which identity may do what.
//!
//! A policy is one JSON document with rules. Each rule lists identities (by the claims of a CI job or by the subject of
//! an API token), actions, Workers and namespaces. A request that no rule allows is denied.
//!
//! ```
//! use deploy_api::identity::{Identity, Subject};
//! use deploy_api::policy::{Action, Caller, Decision, Policy, Request, Scope};
//! use deploy_api::target::Target;
//! use dotdo_names::{Environment, WorkerName};
//!
//! let policy = Policy::load(
//!     r#"{ "version": 1, "rules": [ {
//!         "name": "alice-on-staging",
//!         "who": { "token": "alice" },
//!         "namespaces": ["dotdo-staging"],
//!         "workers": ["agents", "agents-*"],
//!         "actions": ["read", "deploy"]
//!     } ] }"#,
//! )?;
//! let alice = Caller {
//!     identity: Identity::ApiToken { subject: Subject::parse("alice")? },
//!     token: None,
//!     scope: Scope::Policy,
//! };
//! let mail = |environment| WorkerName::parse("agents-mail").map(|worker| Target::new(environment, worker));
//!
//! let staging = Request::worker(Action::Deploy, mail(Environment::Staging)?);
//! assert!(policy.decide(&alice, &staging).is_allowed());
//!
//! let production = Request::worker(Action::Deploy, mail(Environment::Production)?);
//! let Decision::Denied(explanation) = policy.decide(&alice, &production) else { panic!("expected a denial") };
//! assert_eq!(
//!     explanation.lines(),
//!     [
//!         "The API token of alice may not deploy agents-mail in dotdo-production.",
//!         "Rule \"alice-on-staging\" is for dotdo-staging only.",
//!     ]
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Policy::load`] checks every rule; its errors name the rule and the fix. The main requirements are:
//! - a rule for CI jobs has the claims of [`Claim::required`], such as `repository_id` and `repository_owner_id`, because
//!   names can be transferred;
//! - a rule that covers production has a ref or an environment; otherwise every branch could deploy to production;
//! - only Workers and refs can be patterns, and the `*` must be the last character.

mod caller;
mod changes;
mod claim;
mod claims_document;
mod decide;
mod document;
mod errors;
mod explanation;
mod grant;
mod load;
mod lock_out;
mod near_rule;
mod pattern;
mod production;
mod readable;
mod request;
mod rule;
mod subjects;

pub use caller::{Caller, Scope};
pub use changes::{Change, Changes};
pub use claim::Claim;
pub use decide::{BoundGrant, Decision};
pub use document::MAX_RULES;
pub(crate) use document::{PolicyDocument, SchemaOfPolicy};
pub use errors::{Defect, PolicyError, PolicyErrors};
pub use explanation::{Cause, Explanation};
pub use grant::{Grant, GrantDocument, InvalidGrant};
pub use load::MAX_POLICY;
pub use lock_out::LockOut;
pub use near_rule::{IgnoredCase, NearRule, Obstacle};
pub use pattern::{InvalidRefPattern, InvalidWorkerPattern, RefPattern, WorkerPattern};
pub use production::{EVENTS_BARRED_FROM_PRODUCTION, Warning};
pub use readable::Readable;
pub use request::{Action, Request, Resource};
pub use rule::{Condition, Expected, InvalidRuleName, Rule, RuleName, Who};
pub use subjects::subject_without_rule;

/// The JSON Schema of a policy, which `GET /v1/policy/schema.json` returns.
pub const SCHEMA: &str = include_str!("../../policy.schema.json");

/// A policy that has been checked. The empty policy denies every request except those of the bootstrap administrator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// Parses and checks a policy document: JSON of at most [`MAX_POLICY`] bytes.
    ///
    /// # Errors
    /// Returns every error in the document, each with the rule that contains it and the fix.
    pub fn load(json: &str) -> Result<Self, PolicyErrors> {
        load::load(json)
    }

    /// The rules, in the order of the document.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}
