use std::fmt;

use super::{Action, Caller, Policy, Request};
use crate::identity::Identity;

/// Why nobody, or not the caller, could undo the change to a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockOut {
    /// No rule allows `admin`.
    NoAdministrator,
    /// The caller loses the action `admin`.
    Caller(Identity),
}

impl Policy {
    /// Whether nobody could change this policy, or not this caller, who may change the policy now. The bootstrap administrator
    /// always may.
    #[must_use]
    pub fn lock_out(&self, caller: &Caller) -> Option<LockOut> {
        let admin = Request::platform(Action::Admin);
        if !self.rules.iter().any(|rule| rule.grant.covers(&admin)) {
            return Some(LockOut::NoAdministrator);
        }
        if !self.decide(caller, &admin).is_allowed() {
            return Some(LockOut::Caller(caller.identity.clone()));
        }
        None
    }
}

/// Formats as a sentence without a capital letter and a full stop.
impl fmt::Display for LockOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAdministrator => f.write_str(
                "no rule allows \"admin\", so only the bootstrap secret could change the policy and create tokens",
            ),
            Self::Caller(identity) => write!(
                f,
                "no rule allows \"admin\" to {identity}, the caller, who could not undo this change"
            ),
        }
    }
}
