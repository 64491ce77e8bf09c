use super::Access;
use crate::attempt::AttemptId;
use crate::audit::{Action, Outcome, Reason};
use crate::code::Code;
use crate::identity::lockout::{self, Attempts};
use crate::identity::{Identity, Rejection, ShownCredential, TokenId};
use crate::policy::{Caller, Scope};
use crate::problem::Problem;
use crate::sql::{Sql, SqlError};
use crate::store::{audit_log, denials, lockouts, tokens};

impl<S: Sql> Access<'_, S> {
    /// The caller that a credential authenticates. One use of a deploy token is counted for each attempt.
    ///
    /// # Errors
    /// `AUTHENTICATION_FAILED` for every reason; the reason is only in the audit log. `LOCKED_OUT` for an
    /// unknown token after too many guesses from the client's address.
    pub fn authenticate(&self, credential: &ShownCredential, attempt: &AttemptId) -> Result<Caller, Problem> {
        let (found, id) = match credential {
            ShownCredential::Token(hash) => (tokens::spend(self.sql, hash, attempt, self.now)?, hash.id()),
            ShownCredential::Bootstrap => return Ok(bootstrap_administrator()),
        };
        self.caller_of(found, &id)
    }

    /// The same when a change begins: the token must still be valid, and its uses are not counted again.
    ///
    /// # Errors
    /// The errors of [`authenticate`](Self::authenticate).
    pub fn authenticate_again(&self, credential: &ShownCredential) -> Result<Caller, Problem> {
        let (found, id) = match credential {
            ShownCredential::Token(hash) => (tokens::check(self.sql, hash, self.now)?, hash.id()),
            ShownCredential::Bootstrap => return Ok(bootstrap_administrator()),
        };
        self.caller_of(found, &id)
    }

    fn caller_of(
        &self,
        found: Result<tokens::TokenRecord, Rejection>,
        id: &TokenId,
    ) -> Result<Caller, Problem> {
        match found {
            Ok(token) => Ok(token.into_caller()),
            Err(rejection) => Err(self.reject(rejection, Action::Authenticate, id.as_str())?),
        }
    }

    /// The caller of an open intent, with the rule that allowed it, for what is recorded in their name after their request
    /// ended. The caller is bound to no grants, so that the policy allows them nothing more.
    ///
    /// # Errors
    /// If there is no such intent.
    pub fn caller_of_intent(&self, intent: u64) -> Result<(Caller, super::Allowed), SqlError> {
        let unreadable = |reason: &str| SqlError::Content {
            what: "intent",
            reason: reason.to_owned(),
        };
        let link = audit_log::get(self.sql, intent)?.ok_or_else(|| unreadable("it is not in the log"))?;
        let member = |path: &str| link.entry.pointer(path).cloned().unwrap_or_default();
        let caller = Caller {
            identity: serde_json::from_value(member("/identity"))
                .map_err(|_| unreadable("it names no identity"))?,
            token: serde_json::from_value(member("/token")).ok(),
            scope: Scope::Grants(Vec::new()),
        };
        let allowed = super::Allowed {
            rule: serde_json::from_value(member("/authority/rule"))
                .map_err(|_| unreadable("it names no rule"))?,
            policy_version: member("/authority/policy_version")
                .as_u64()
                .ok_or_else(|| unreadable("it names no version of the policy"))?,
        };
        Ok((caller, allowed))
    }

    /// Returns an error if the address is locked out after too many guesses.
    ///
    /// # Errors
    /// `LOCKED_OUT`.
    fn refuse_if_locked_out(&self) -> Result<(), Problem> {
        if !lockout::is_lockable(self.client.address.as_deref()) {
            return Ok(());
        }
        let address = lockout::bucket(self.client.address.as_deref());
        let attempts = lockouts::attempts(self.sql, &address)?;
        let Some(left) = attempts.and_then(|attempts| attempts.locked_for(self.now)) else {
            return Ok(());
        };
        let seconds = u32::try_from(left.as_secs())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        Err(Problem::new(
            Code::LockedOut,
            "Too many unknown or forged credentials came from this address.",
            format!("Wait {seconds} seconds, then use a token that exists."),
        )
        .retry_after(seconds))
    }

    /// Counts a refused credential towards the lock-out and records it: at most so often for one address, and repeated refusals of
    /// one credential as one entry with a count. `credential` identifies the credential. Returns the error for the client.
    ///
    /// # Errors
    /// `LOCKED_OUT` for a guess from an address that is locked out, which is not recorded; `RECORD_UNAVAILABLE` when it cannot be
    /// recorded.
    pub fn reject(&self, rejection: Rejection, action: Action, credential: &str) -> Result<Problem, Problem> {
        if rejection.is_a_guess() {
            self.refuse_if_locked_out()?;
        }
        self.sql.transaction(|| {
            if self.count_failure(rejection.is_a_guess())?.is_recorded() {
                let entry = self
                    .entry(action, Outcome::Denied)
                    .because(Reason::rejected(rejection));
                let key = format!("{credential} {action} {}", rejection.name());
                denials::record(self.sql, &key, &entry, self.now)?;
            }
            Ok(authentication_failed())
        })
    }

    /// Counts a failure of the client's address. A guess leads to a lockout only if the address can be locked out.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn count_failure(&self, is_a_guess: bool) -> Result<Attempts, SqlError> {
        let address = self.client.address.as_deref();
        let is_counted = is_a_guess && lockout::is_lockable(address);
        lockouts::count_failure(self.sql, &lockout::bucket(address), is_counted, self.now)
    }
}

const fn bootstrap_administrator() -> Caller {
    Caller {
        identity: Identity::BootstrapAdministrator,
        token: None,
        scope: Scope::Policy,
    }
}

/// The same error for every rejected credential, so that it does not reveal which credentials exist.
#[must_use]
pub fn authentication_failed() -> Problem {
    Problem::new(
        Code::AuthenticationFailed,
        "The request has no credential that is valid now.",
        "In GitHub Actions, exchange the run's OIDC token at /v1/tokens/exchange; elsewhere, ask an administrator for \
         an API token.",
    )
}
