//! The messages of the reconciler that archives the audit log, and how the ledger handles them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::audit::{SegmentHeader, SegmentRecord};
use crate::code::Code;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::audit_archive::{self, ArchiveError, ArchiveRules};

/// Asks for the next segment of the audit log to archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSegment {}

/// A complete segment to archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueSegment {
    /// Which part of the chain it is.
    pub header: SegmentHeader,
    /// Its links as NDJSON: at most 1,000 lines and 1 MiB of stored entries, unless one entry alone is larger.
    pub lines: String,
}

impl Message for ReadSegment {
    const NAME: &'static str = "read-audit-segment";
    /// `None` if there is no complete segment to archive.
    type Answer = Option<DueSegment>;
}

/// Says that the object of a segment is durable, so that the ledger deletes the segment's entries. Repeating it changes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmSegment {
    /// The record of the segment.
    pub segment: SegmentRecord,
}

/// The answer to [`ConfirmSegment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveState {
    /// Whether another complete segment can be archived now.
    pub more: bool,
}

impl Message for ConfirmSegment {
    const NAME: &'static str = "confirm-audit-segment";
    type Answer = ArchiveState;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn read_segment(&self) -> Result<Option<DueSegment>, Problem> {
        read_segment(&self.sql, self.settings.archive)
    }

    pub(super) fn confirm_segment(&self, message: &ConfirmSegment) -> Result<ArchiveState, Problem> {
        confirm_segment(&self.sql, message, self.settings.archive, self.runtime.now())
    }
}

/// Handles [`ReadSegment`].
///
/// # Errors
/// `RECORD_UNAVAILABLE`; `INTERNAL` if the chain is broken, so that its entries stay in the ledger.
pub fn read_segment(sql: &impl Sql, rules: ArchiveRules) -> Result<Option<DueSegment>, Problem> {
    let due = audit_archive::due(sql, rules)?;
    Ok(due.map(|(header, lines)| DueSegment { header, lines }))
}

/// Handles [`ConfirmSegment`].
///
/// # Errors
/// `RECORD_UNAVAILABLE`; `INTERNAL` if the segment is not the one that is due.
pub fn confirm_segment(
    sql: &impl Sql,
    message: &ConfirmSegment,
    rules: ArchiveRules,
    now: Timestamp,
) -> Result<ArchiveState, Problem> {
    audit_archive::confirm(sql, &message.segment, rules, now)?;
    Ok(ArchiveState {
        more: audit_archive::is_due(sql, rules)?,
    })
}

impl From<ArchiveError> for Problem {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Sql(error) => error.into(),
            ArchiveError::Head(error) => error.into(),
            ArchiveError::Broken(_) | ArchiveError::Mismatch { .. } | ArchiveError::Signature(_) => {
                Self::new(
                    Code::Internal,
                    "A segment of the audit log was not archived. Its entries stay in the ledger.",
                    "",
                )
                .caused_by(&error)
            }
        }
    }
}
