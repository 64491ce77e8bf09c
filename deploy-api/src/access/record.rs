use super::Access;
use crate::audit::{Action, Entry, Outcome, Reason};
use crate::code::Code;
use crate::problem::Problem;
use crate::sql::{Sql, SqlError};
use crate::store::audit_log::{self, AppendError};

impl<S: Sql> Access<'_, S> {
    /// The beginning of an entry about this request.
    #[must_use]
    pub fn entry(&self, action: Action, outcome: Outcome) -> Entry {
        Entry::new(self.now, action, outcome, self.client.clone())
    }

    /// Records an entry and returns its sequence number.
    ///
    /// # Errors
    /// `RECORD_UNAVAILABLE` if it is not recorded. The action that it describes must then not be executed.
    pub fn record(&self, entry: &Entry) -> Result<u64, Problem> {
        audit_log::append(self.sql, entry).map_err(Problem::from)
    }
}

impl<S: Sql> Access<'_, S> {
    /// Records that a request was rejected, and returns the error for the caller.
    #[must_use]
    pub fn refuse(&self, entry: Entry, problem: Problem) -> Problem {
        self.refuse_binding(entry, problem, None)
    }

    /// The same, about a binding of the upload.
    #[must_use]
    pub fn refuse_binding(&self, mut entry: Entry, problem: Problem, binding: Option<String>) -> Problem {
        if problem.code == Code::RecordUnavailable {
            return problem;
        }
        entry.outcome = if problem.code.status() < 500 {
            Outcome::Denied
        } else {
            Outcome::Failed
        };
        let mut reason = Reason::of(&problem);
        if let Some(binding) = binding {
            reason = reason.about_binding(binding);
        }
        match self.record(&entry.because(reason)) {
            Ok(_) => problem,
            Err(unrecorded) => unrecorded,
        }
    }
}

/// Without the database, nothing can be authorized or recorded, so nothing is done.
impl From<SqlError> for Problem {
    fn from(error: SqlError) -> Self {
        let problem = record_unavailable(&error);
        if error.is_full() {
            let detail = "The deploy API's own database is full, so nothing was done.";
            return Problem {
                detail: detail.to_owned(),
                ..problem
            };
        }
        problem
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Sql(error) => error.into(),
            other => record_unavailable(&other),
        }
    }
}

fn record_unavailable(cause: &impl ToString) -> Problem {
    Problem::new(
        Code::RecordUnavailable,
        "The deploy API's own database failed, so nothing was done.",
        "Try again; if the error persists, see `docs/deploy-api.md`, \"When the deploy API is down\".",
    )
    .caused_by(cause)
}
