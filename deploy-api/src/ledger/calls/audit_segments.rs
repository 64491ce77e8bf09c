//! `/v1/audit/segments`: the archived segments of the audit log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use super::page::{Cursors, Page, Parameters};
use super::policy::may_see_all;
use crate::access::Access;
use crate::audit::SegmentRecord;
use crate::audit::chain::Hash;
use crate::code::Code;
use crate::policy::{Action, Caller, Request};
use crate::problem::Problem;
use crate::schema::HexDigest;
use crate::sql::Sql;
use crate::store::audit_segments;

/// How many archived segments a page of the log links.
const LINKED_SEGMENTS: u32 = 20;

/// The newest archived segments, and the cursor of the older ones in `GET /v1/audit/segments`.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
pub struct Links {
    /// The newest archived segments, the newest first; only for callers who may read the whole log.
    #[schemars(length(max = LINKED_SEGMENTS))]
    pub segments: Vec<SegmentLink>,
    /// The cursor of the older segments for GET /v1/audit/segments; null if there are none.
    pub segments_cursor: Option<String>,
}

/// A link to an archived segment of the audit log.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "AuditSegmentLink")]
pub struct SegmentLink {
    /// The segment's first entry.
    pub first: u64,
    /// The segment's last entry.
    pub last: u64,
    /// The hash of the last entry.
    pub hash: Hash,
    /// The path of the call that returns the segment.
    pub url: String,
}

impl SegmentLink {
    fn of(segment: &SegmentRecord) -> Self {
        Self {
            first: segment.header.first,
            last: segment.header.last,
            hash: segment.header.hash,
            url: url(segment),
        }
    }
}

/// An archived segment of the audit log.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "AuditSegment")]
pub struct ShownSegment {
    /// The first entry.
    pub first: u64,
    /// The last entry.
    pub last: u64,
    /// The hash of the entry before the first.
    pub previous: Hash,
    /// The hash of the last entry.
    pub hash: Hash,
    /// The path of the call that returns the segment.
    pub url: String,
    /// The SHA-256 of the segment's object without its last line.
    #[schemars(with = "HexDigest")]
    pub sha256: String,
    /// The public key, Ed25519, in hexadecimal.
    #[schemars(with = "HexDigest")]
    pub key: String,
    /// The signature, in hexadecimal.
    #[schemars(regex(pattern = "^[0-9a-f]{128}$"))]
    pub signature: String,
}

impl From<SegmentRecord> for ShownSegment {
    fn from(segment: SegmentRecord) -> Self {
        Self {
            url: url(&segment),
            first: segment.header.first,
            last: segment.header.last,
            previous: segment.header.previous,
            hash: segment.header.hash,
            sha256: segment.signature.sha256,
            key: segment.signature.key,
            signature: segment.signature.signature,
        }
    }
}

/// The path of the call that returns a segment's object.
fn url(segment: &SegmentRecord) -> String {
    format!("/v1/audit/segments/{}", segment.header.first)
}

/// Archived segments, the newest first.
fn segments<S: Sql>(
    access: &Access<'_, S>,
    before: Option<u32>,
    limit: u32,
) -> Result<Page<SegmentRecord>, Problem> {
    let items = audit_segments::list(access.sql, before, limit.saturating_add(1))?;
    Ok(Page::of(items, limit, &cursors(access), |segment| {
        segment.header.first.to_string()
    }))
}

fn cursors<'a, S: Sql>(access: &Access<'a, S>) -> Cursors<'a> {
    Cursors::new(access.cursors, "audit segments")
}

/// The links to the archive, which has the entries of every Worker, or `None` if the caller may not read all of them.
pub(super) fn links<S: Sql>(access: &Access<'_, S>, caller: &Caller) -> Result<Option<Links>, Problem> {
    let may_read = access.may(caller, &Request::platform(Action::Admin))?
        || access.may(caller, &Request::platform(Action::Read))?;
    if !may_read {
        return Ok(None);
    }
    let page = segments(access, None, LINKED_SEGMENTS)?;
    Ok(Some(Links {
        segments: page.items.iter().map(SegmentLink::of).collect(),
        segments_cursor: page.cursor,
    }))
}

/// `GET /v1/audit/segments`: the archived segments of the log, the newest first.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may administer or read the whole platform; `PARAMETER_INVALID`,
/// `RECORD_UNAVAILABLE`.
pub fn list<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    may_see_all(access, caller)?;
    let parameters = Parameters::new(parameters, &["limit", "cursor"])?;
    let limit = parameters.limit()?;
    let before = parameters.cursor(&cursors(access), |text| text.parse().ok())?;
    let page = segments(access, before, limit)?;
    Answer::json(
        200,
        &Page {
            items: page.items.into_iter().map(ShownSegment::from).collect(),
            cursor: page.cursor,
        },
    )
}

/// The archived segment whose first entry is `first`, as `GET /v1/audit/segments/{first}` names it, for a caller who may
/// read the whole log.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may administer or read the whole platform; `PATH_UNKNOWN` if there is no such
/// segment; `RECORD_UNAVAILABLE`.
pub fn get<S: Sql>(access: &Access<'_, S>, caller: &Caller, first: &str) -> Result<SegmentRecord, Problem> {
    may_see_all(access, caller)?;
    let segment = match first.parse::<u32>() {
        Ok(first) => audit_segments::segment(access.sql, first.into())?,
        Err(_) => None,
    };
    segment.ok_or_else(|| {
        Problem::new(
            Code::PathUnknown,
            "No archived segment of the audit log begins with this entry.",
            "GET /v1/audit/segments lists the archived segments.",
        )
    })
}
