use super::production::barred_event;
use super::{Action, Cause, Explanation, Grant, NearRule, Policy, Request, Rule, RuleName};
use super::{Caller, Scope};
use crate::identity::Identity;

/// The decision of a policy about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The request is allowed.
    Allowed {
        /// The first rule that allows it.
        rule: RuleName,
    },
    /// The request is denied.
    Denied(Box<Explanation>),
}

impl Decision {
    /// Whether the request is allowed.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// The permissions that a rule gives to a job when the job exchanges its OIDC token. The deploy token is limited to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundGrant {
    /// The rule that matched.
    pub rule: RuleName,
    /// The permissions.
    pub grant: Grant,
}

impl Policy {
    /// Decides whether the caller may do the request: a rule must allow it, and so must the scope of the token. The
    /// explanation of a denial shows only rules that name the repository or the subject of the caller.
    #[must_use]
    pub fn decide(&self, caller: &Caller, request: &Request) -> Decision {
        self.decide_among(caller, request, |rule| rule.who.concerns(&caller.identity))
    }

    /// The same decision with an explanation that may show every rule. For administrators.
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
        if *identity == Identity::BootstrapAdministrator {
            if matches!(request.action, Action::Read | Action::Admin) {
                return Decision::Allowed {
                    rule: RuleName::bootstrap(),
                };
            }
            return deny(Cause::BootstrapOnlyAdministers);
        }
        if let Some(event) = barred_event(identity)
            && request.resource.touches_production()
        {
            return deny(Cause::EventBarred(event.to_owned()));
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

    /// The permissions that the rules give to an identity, in the order of the policy.
    #[must_use]
    pub fn permissions(&self, identity: &Identity) -> Vec<BoundGrant> {
        let is_barred = barred_event(identity).is_some();
        let rules = self.rules.iter().filter(|rule| rule.who.is(identity));
        rules
            .filter_map(|rule| {
                let grant = if is_barred {
                    rule.grant.without_production()?
                } else {
                    rule.grant.clone()
                };
                Some(BoundGrant {
                    rule: rule.name.clone(),
                    grant,
                })
            })
            .collect()
    }

    /// The permissions that the rules give to a job. Its deploy token is limited to them.
    ///
    /// # Errors
    /// Returns an explanation if no rule gives the job any permission.
    pub fn bind(&self, identity: &Identity) -> Result<Vec<BoundGrant>, Box<Explanation>> {
        let bound = self.permissions(identity);
        if !bound.is_empty() {
            return Ok(bound);
        }
        let is_named = self.rules.iter().any(|rule| rule.who.is(identity));
        let cause = match barred_event(identity) {
            Some(event) if is_named => Cause::EventBarred(event.to_owned()),
            _ => {
                let rules = self.rules.iter().filter(|rule| rule.who.concerns(identity));
                Cause::NoRule(NearRule::nearest(rules, identity, None))
            }
        };
        Err(Box::new(Explanation {
            identity: identity.clone(),
            request: None,
            cause,
        }))
    }
}
