//! What an identity may do.
//!
//! A policy is one JSON document of rules; each says who (claims of a GitHub run, or the subject of an API token) may
//! do which actions to which Workers of which namespaces. What no rule allows is denied.
//!
//! ```
//! use deploy_api::identity::{Caller, Identity, Scope, Subject};
//! use deploy_api::policy::{Action, Decision, Policy, Request};
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
//! let mail = |environment| Ok::<_, dotdo_names::InvalidWorkerName>(Target {
//!     environment,
//!     worker: WorkerName::parse("agents-mail")?,
//! });
//!
//! let staging = Request::worker(Action::Deploy, mail(Environment::Staging)?);
//! assert!(policy.decide(&alice, &staging).is_allowed());
//!
//! let production = Request::worker(Action::Deploy, mail(Environment::Production)?);
//! let Decision::Denied(explanation) = policy.decide(&alice, &production) else { panic!("not hers") };
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
//! What a rule must have to load is checked by [`Policy::load`], whose errors name the rule and the fix:
//! - a rule for GitHub runs names `repository_id` and `repository_owner_id`, because names change hands;
//! - a rule that covers production names a ref or an environment, because anyone who can push can make either up;
//! - patterns stand on Workers and refs only, at their end.

mod action;
mod changes;
mod claim;
mod decide;
mod document;
mod errors;
mod explanation;
mod grant;
mod load;
mod near_rule;
mod pattern;
mod request;
mod rule;
mod rule_name;
mod warnings;

pub use action::Action;
pub use changes::{Change, Changes};
pub use claim::Claim;
pub use decide::{BoundGrant, Decision};
pub use errors::{Defect, PolicyError, PolicyErrors};
pub use explanation::{Cause, Explanation};
pub use grant::{Grant, GrantDocument, InvalidGrant};
pub use load::{EVENTS_BARRED_FROM_PRODUCTION, MAX_POLICY, MAX_RULES};
pub use near_rule::{NearRule, Obstacle};
pub use pattern::{InvalidRefPattern, InvalidWorkerPattern, RefPattern, WorkerPattern};
pub use request::{Request, Resource};
pub use rule::{Condition, Expected, Rule, Who};
pub use rule_name::{InvalidRuleName, RuleName};
pub use warnings::Warning;

/// A policy that has been checked. The empty one denies everything to everyone but the bootstrap administrator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// Reads and checks a policy document, at most [`MAX_POLICY`] bytes of JSON.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the rule it is in and the fix.
    pub fn load(json: &str) -> Result<Self, PolicyErrors> {
        load::load(json)
    }

    /// The rules, in the document's order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}
