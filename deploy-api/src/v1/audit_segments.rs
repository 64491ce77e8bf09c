//! `GET /v1/audit/segments/{first}`: the object of an archived segment of the audit log.

use super::{Answer, Content};
use crate::audit::SegmentRecord;
use crate::bundles::{ObjectStore, Retrying};
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{FindSegment, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;

/// `GET /v1/audit/segments/{first}`: the object of a segment, which is what `dotdo audit verify` reads.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may administer or read the whole platform; `PATH_UNKNOWN` if there is no such
/// segment; `BUNDLE_STORE_UNAVAILABLE`, `RECORD_UNAVAILABLE`.
pub async fn download<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    first: &str,
) -> Result<Answer, Problem> {
    let find = FindSegment {
        attempt: gateway.attempt.clone(),
        credential: credential.clone(),
        client: gateway.client.clone(),
        first: first.to_owned(),
    };
    let segment = gateway.send(&find).await?;
    let unavailable = |cause: &dyn ToString| object_unavailable(&segment).caused_by(&cause.to_string());
    let bytes = Retrying::new(gateway.services, gateway.services)
        .get(&segment.object, None)
        .await
        .map_err(|error| unavailable(&error))?
        .ok_or_else(|| unavailable(&"there is no such object"))?;
    let text = String::from_utf8(bytes).map_err(|error| unavailable(&error))?;
    Ok(Answer {
        status: 200,
        content: Content::JsonLines { text, cursor: None },
        version: None,
    })
}

/// The problem of a segment whose object cannot be read from the object store.
fn object_unavailable(segment: &SegmentRecord) -> Problem {
    Problem::new(
        Code::BundleStoreUnavailable,
        format!("The object {} of this segment cannot be read.", segment.object),
        "Send the request again, or read the object from the bucket.",
    )
}
