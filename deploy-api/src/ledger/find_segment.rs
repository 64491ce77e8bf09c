use serde::{Deserialize, Serialize};

use super::{Ledger, Message, calls};
use crate::attempt::AttemptId;
use crate::audit::{Client, SegmentRecord};
use crate::identity::ShownCredential;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;

/// Asks for an archived segment of the audit log, for a caller who may read the whole log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindSegment {
    /// The attempt.
    pub attempt: AttemptId,
    /// The credential of the request.
    pub credential: ShownCredential,
    /// Where it came from.
    pub client: Client,
    /// The sequence number of the segment's first entry, as the caller wrote it.
    pub first: String,
}

impl Message for FindSegment {
    const NAME: &'static str = "find-audit-segment";
    type Answer = SegmentRecord;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn find_segment(&self, message: &FindSegment) -> Result<SegmentRecord, Problem> {
        let access = self.access(&message.client);
        let caller = access.authenticate(&message.credential, &message.attempt)?;
        calls::audit_segments::get(&access, &caller, &message.first)
    }
}
