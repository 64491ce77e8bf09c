use serde::Serialize;

use super::refusal::{Refusal, RefusalCode};
use super::route::Route;
use super::router::Router;
use super::target::{Limits, Outbound};

/// A routing decision in words, for people and (serialized) for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The request's URL.
    pub url: String,
    /// The decision.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The decision about a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The request goes to a Worker.
    Route(RouteExplanation),
    /// The request gets an error.
    Refusal(RefusalExplanation),
}

/// The Worker that a request goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteExplanation {
    /// The rule that decided.
    pub rule: String,
    /// `production`, `staging` or `development`.
    pub environment: &'static str,
    /// The dispatch namespace.
    pub namespace: &'static str,
    /// The dispatch Worker's binding of that namespace.
    pub binding: &'static str,
    /// The Worker's name in the namespace.
    pub worker: String,
    /// The prefix that is stripped from the path, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripped_prefix: Option<String>,
    /// The URL that the Worker sees instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewritten_url: Option<String>,
    /// Path, query and fragment of that URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewritten_path: Option<String>,
    /// The rule's limits, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The rule's parameters for the outbound Worker, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Outbound>,
}

/// The error that a request gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusalExplanation {
    /// The code of the error table.
    pub code: &'static str,
    /// The reason.
    pub reason: String,
    /// The rule that refused the request, or the one that nearly matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest_rule: Option<String>,
    /// Whether the host may be a custom hostname, which is not in the rules.
    pub may_be_custom_hostname: bool,
}

impl Router {
    /// Explains what [`route`](Self::route) decides for a URL.
    #[must_use]
    pub fn explain(&self, url: &str) -> Explanation {
        let outcome = match self.route(url) {
            Ok(route) => Outcome::Route(RouteExplanation::new(&route)),
            Err(refusal) => Outcome::Refusal(RefusalExplanation::new(&refusal)),
        };
        Explanation {
            url: url.to_owned(),
            outcome,
        }
    }
}

impl RouteExplanation {
    fn new(route: &Route<'_>) -> Self {
        let environment = route.environment();
        Self {
            rule: route.rule().to_string(),
            environment: environment.name(),
            namespace: environment.namespace(),
            binding: environment.binding(),
            worker: route.worker().to_owned(),
            stripped_prefix: route.stripped().map(|stripped| stripped.prefix().to_owned()),
            rewritten_url: route.stripped().map(|stripped| stripped.rewritten_url()),
            rewritten_path: route
                .stripped()
                .map(|stripped| stripped.rewritten_path().into_owned()),
            limits: route.rule().limits(),
            outbound: route.rule().outbound().cloned(),
        }
    }
}

impl RefusalExplanation {
    fn new(refusal: &Refusal<'_>) -> Self {
        Self {
            code: refusal.code().as_str(),
            reason: refusal.reason().to_string(),
            nearest_rule: refusal.rule().map(ToString::to_string),
            may_be_custom_hostname: refusal.code() == RefusalCode::HostUnknown && refusal.host().is_some(),
        }
    }
}
