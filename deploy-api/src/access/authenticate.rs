use super::Access;
use crate::audit::{Outcome, Reason, Verb};
use crate::code::Code;
use crate::identity::lockout::{self, Attempts};
use crate::identity::{Caller, Credential, Identity, InvalidCredential, Rejection, Scope};
use crate::problem::Problem;
use crate::sql::{Sql, SqlError};
use crate::store::{lockouts, tokens};

impl<S: Sql> Access<'_, S> {
    /// Who asks, by the request's `Authorization` header. A deploy token loses one of its uses.
    ///
    /// # Errors
    /// `AUTHENTICATION_FAILED`, the same for whatever was wrong; what exactly is on record. `LOCKED_OUT` after too many
    /// guesses from the client's address. `RECORD_UNAVAILABLE` when the database fails.
    pub fn authenticate(&self, authorization: Option<&str>) -> Result<Caller, Problem> {
        self.refuse_if_locked_out()?;
        match self.identify(authorization)? {
            Ok(caller) => Ok(caller),
            // Who shows nothing has not tried; a stranger's crawler does not belong on record.
            Err(Rejection::Credential(InvalidCredential::Missing)) => Err(authentication_failed()),
            Err(rejection) => Err(self.reject(rejection, Verb::Authenticate)?),
        }
    }

    fn identify(&self, authorization: Option<&str>) -> Result<Result<Caller, Rejection>, SqlError> {
        match Credential::from_authorization(authorization) {
            Err(invalid) => Ok(Err(invalid.into())),
            Ok(Credential::Token(token)) => {
                let spent = tokens::spend(self.sql, &token, self.now)?;
                Ok(spent.map(tokens::TokenRecord::into_caller))
            }
            Ok(Credential::Other(text)) => Ok(match self.bootstrap {
                Some(secret) if secret.is(&text) => Ok(Caller {
                    identity: Identity::BootstrapAdministrator,
                    token: None,
                    scope: Scope::Policy,
                }),
                _ => Err(Rejection::BearerUnknown),
            }),
        }
    }

    /// Refuses a client whose address is locked out, whatever it shows. It goes on record when it begins, not again
    /// for each attempt.
    ///
    /// # Errors
    /// `LOCKED_OUT`, or `RECORD_UNAVAILABLE` when the database fails.
    pub fn refuse_if_locked_out(&self) -> Result<(), Problem> {
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
            "Too many unknown credentials came from this address.",
            format!("Wait {seconds} seconds, then use a token that exists."),
        )
        .retry_after(seconds))
    }

    /// Counts a refused credential towards the lock-out and puts it on record, at most so often for one address.
    ///
    /// # Errors
    /// `RECORD_UNAVAILABLE` when that fails. Otherwise the answer is what the client is told.
    pub fn reject(&self, rejection: Rejection, verb: Verb) -> Result<Problem, Problem> {
        self.sql.transaction(|| {
            if self.count_failure(rejection.is_a_guess())?.is_recorded() {
                self.record(
                    &self
                        .entry(verb, Outcome::Denied)
                        .because(Reason::rejected(rejection)),
                )?;
            }
            Ok(authentication_failed())
        })
    }

    /// Counts a failure of the client's address.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn count_failure(&self, is_a_guess: bool) -> Result<Attempts, SqlError> {
        let address = lockout::bucket(self.client.address.as_deref());
        lockouts::count_failure(self.sql, &address, is_a_guess, self.now)
    }
}

/// One and the same answer for every refused credential, so that it tells nothing about what exists.
fn authentication_failed() -> Problem {
    Problem::new(
        Code::AuthenticationFailed,
        "The request shows no credential that is valid now.",
        "In GitHub Actions, exchange the run's OIDC token at /v1/tokens/exchange; elsewhere, ask an administrator for \
         an API token.",
    )
}
