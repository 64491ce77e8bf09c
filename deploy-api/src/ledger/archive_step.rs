use super::{ConfirmSegment, DueSegment, LedgerClient, ReadSegment, send};
use crate::audit::{CheckpointKey, SegmentRecord};
use crate::bundles::ObjectStore;
use crate::code::Code;
use crate::problem::Problem;

/// Archives the next segment of the audit log, if there is a complete one: reads it from the ledger, stores its signed
/// object, and confirms it. Returns whether another segment can be archived now.
///
/// The step can be interrupted anywhere and repeated: the same entries make the same object under the same key, and the
/// ledger deletes them only after the object is durable.
///
/// # Errors
/// `BUNDLE_STORE_UNAVAILABLE`, `RECORD_UNAVAILABLE`, or `INTERNAL` if the ledger refuses the segment. No entry is lost.
pub async fn archive_step(
    ledger: &impl LedgerClient,
    store: &impl ObjectStore,
    key: &CheckpointKey,
) -> Result<bool, Problem> {
    let Some(DueSegment { header, lines }) = send(ledger, &ReadSegment {}).await? else {
        return Ok(false);
    };
    let (segment, object) = SegmentRecord::write(header, &lines, key).map_err(|error| {
        Problem::new(
            Code::Internal,
            "A segment of the audit log could not be written.",
            "",
        )
        .caused_by(&error)
    })?;
    store.put(&segment.object, &object).await.map_err(|failure| {
        Problem::new(
            Code::BundleStoreUnavailable,
            "A segment of the audit log could not be stored.",
            "",
        )
        .caused_by(&failure)
    })?;
    let state = send(ledger, &ConfirmSegment { segment }).await?;
    Ok(state.more)
}
