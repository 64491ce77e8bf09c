use dotdo_names::Environment;

use super::{
    Action, Cause, EVENTS_BARRED_FROM_PRODUCTION, Explanation, Grant, NearRule, Policy, Request, Rule,
    RuleName,
};
use crate::identity::{Caller, GitHubRun, Identity, Scope};

/// What a policy says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allowed {
        /// The first rule that allows it.
        rule: RuleName,
    },
    /// It may not.
    Denied(Box<Explanation>),
}

impl Decision {
    /// Whether it may be done.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// What a rule gives to a run that exchanges its OIDC token, to be bound to its deploy token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundGrant {
    /// The rule that matched.
    pub rule: RuleName,
    /// What it gives.
    pub grant: Grant,
}

impl Policy {
    /// Whether the caller may do what is asked: a rule must allow it to the identity, and the token must be bound to
    /// it. A denial explains itself with the rules about the caller's own repository or subject, and no others.
    #[must_use]
    pub fn decide(&self, caller: &Caller, request: &Request) -> Decision {
        self.decide_among(caller, request, |rule| rule.who.concerns(&caller.identity))
    }

    /// The same decision, explained from every rule: for administrators.
    #[must_use]
    pub fn explain(&self, caller: &Caller, request: &Request) -> Decision {
        self.decide_among(caller, request, |_| true)
    }

    fn decide_among(&self, caller: &Caller, request: &Request, shown: impl Fn(&Rule) -> bool) -> Decision {
        let identity = &caller.identity;
        let deny = |cause| {
            Decision::Denied(Box::new(Explanation {
                identity: identity.clone(),
                request: Some(request.clone()),
                cause,
            }))
        };
        match identity {
            Identity::BootstrapAdministrator if matches!(request.action, Action::Read | Action::Admin) => {
                return Decision::Allowed {
                    rule: RuleName::bootstrap(),
                };
            }
            Identity::BootstrapAdministrator => return deny(Cause::BootstrapOnlyAdministers),
            Identity::GithubRun(run)
                if is_barred_from_production(run) && request.resource.touches_production() =>
            {
                return deny(Cause::EventBarred(run.event_name.clone()));
            }
            Identity::GithubRun(_) | Identity::ApiToken { .. } => {}
        }
        let Some(rule) = self
            .rules
            .iter()
            .find(|rule| rule.who.is(identity) && rule.grant.covers(request))
        else {
            let rules = self.rules.iter().filter(|rule| shown(rule));
            return deny(Cause::NoRule(NearRule::nearest(rules, identity, Some(request))));
        };
        match &caller.scope {
            Scope::Grants(grants) if !grants.iter().any(|grant| grant.covers(request)) => {
                deny(Cause::TokenScope {
                    rule: rule.name.clone(),
                    grants: grants.clone(),
                })
            }
            Scope::Grants(_) | Scope::Policy => Decision::Allowed {
                rule: rule.name.clone(),
            },
        }
    }

    /// What the rules give to a run: the grants to bind its deploy token to.
    ///
    /// # Errors
    /// Why no rule gives it anything.
    pub fn bind(&self, run: &GitHubRun) -> Result<Vec<BoundGrant>, Box<Explanation>> {
        let identity = Identity::GithubRun(Box::new(run.clone()));
        let barred = is_barred_from_production(run);
        let mut matched = false;
        let mut bound = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.who.is(&identity)) {
            matched = true;
            let grant = if barred {
                rule.grant.without(Environment::Production)
            } else {
                Some(rule.grant.clone())
            };
            if let Some(grant) = grant {
                bound.push(BoundGrant {
                    rule: rule.name.clone(),
                    grant,
                });
            }
        }
        if !bound.is_empty() {
            return Ok(bound);
        }
        let cause = if matched {
            Cause::EventBarred(run.event_name.clone())
        } else {
            let rules = self.rules.iter().filter(|rule| rule.who.concerns(&identity));
            Cause::NoRule(NearRule::nearest(rules, &identity, None))
        };
        Err(Box::new(Explanation {
            identity,
            request: None,
            cause,
        }))
    }
}

fn is_barred_from_production(run: &GitHubRun) -> bool {
    EVENTS_BARRED_FROM_PRODUCTION.contains(&run.event_name.as_str())
}
