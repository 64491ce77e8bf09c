//! `/v1/audit`: the log, the verification of its chain, its signed head, and changes that were made without the deploy API.

use std::borrow::Cow;

use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::to_json;
use super::page::{Cursors, Parameters, parameter_invalid};
use super::policy::may_see_all;
use super::{Answer, Content, audit_segments, body};
use crate::access::Access;
use crate::audit::chain::{Hash, Head, Link};
use crate::audit::{self, CheckpointKey, Outcome, Query, SubjectRecord};
use crate::code::Code;
use crate::policy::{Action, Caller, Readable, Request};
use crate::problem::Problem;
use crate::schema::{NamespaceName, Time, WorkerName as WorkerNameSchema};
use crate::sql::Sql;
use crate::store::{audit_batch, audit_log, audit_segments as archive};
use crate::target::Target;

/// One page of the audit log.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "AuditPage", bound = "")]
pub struct AuditPage<E = Value> {
    /// The entries.
    #[schemars(with = "Vec<Link>")]
    pub items: Vec<Link<E>>,
    /// The cursor of the next page; null on the last page.
    pub cursor: Option<String>,
    /// The first entry that is not archived.
    pub first: u64,
    /// The archived segments; `None` for callers who may not read the whole log.
    #[serde(flatten)]
    pub archive: Option<audit_segments::Links>,
}

/// `GET /v1/audit`: the log, the newest entry first, or with `order=oldest` the oldest. The filters are those of
/// [`Query`]; with `format=ndjson` each entry is one line, which is what `dotdo audit verify` reads. A page has at most
/// 1 MiB of entries. `first` is the first entry that is not archived.
///
/// A caller who may administer or read the whole platform sees every entry, and gets links to the newest archived segments.
/// Every other caller sees the entries about the Workers that they may read, and about the namespaces of these Workers.
///
/// # Errors
/// `PERMISSION_DENIED` if the caller may read nothing, or not the Worker or the namespace that the filters name;
/// `PARAMETER_INVALID`, `RECORD_UNAVAILABLE`.
pub fn list<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let readable = readable(access, caller, parameters)?;
    let lines = match parameters.iter().find(|(name, _)| *name == "format") {
        None | Some((_, "json")) => false,
        Some((_, "ndjson")) => true,
        Some((_, other)) => {
            return Err(parameter_invalid(
                format!("The parameter \"format\" is {other:?}."),
                "Write json or ndjson.",
            ));
        }
    };
    let cursors = Cursors::new(access.cursors, "audit log");
    let mut filters = Vec::new();
    for (name, value) in parameters.iter().filter(|(name, _)| *name != "format") {
        let value = if *name == "cursor" {
            Cow::Owned(cursors.open(value, |position| Some(position.to_owned()))?)
        } else {
            Cow::Borrowed(*value)
        };
        filters.push((*name, value));
    }
    let filters = filters.iter().map(|(name, value)| (*name, value.as_ref()));
    let query = Query::parse(filters, access.now).map_err(|error| {
        let known: Vec<_> = Query::parameters().chain(["format"]).collect();
        parameter_invalid(
            format!("{error}."),
            format!("The parameters are {}.", known.join(", ")),
        )
    })?;
    let query = match readable {
        Readable::Everything => query,
        Readable::Workers(workers) => query.limited_to(workers),
    };
    let page = audit_log::find(access.sql, &query)?;
    let cursor = page.cursor.map(|cursor| cursors.seal(&cursor.to_string()));
    if !lines {
        return Answer::json(
            200,
            &AuditPage {
                items: page.links,
                cursor,
                first: archive::end(access.sql)?.size + 1,
                archive: audit_segments::links(access, caller)?,
            },
        );
    }
    let mut text = String::new();
    for link in &page.links {
        text.push_str(&to_json(link)?);
        text.push('\n');
    }
    Ok(Answer {
        status: 200,
        content: Content::JsonLines { text, cursor },
        version: None,
    })
}

/// What the caller may read of a list whose filters can name a namespace and a Worker.
///
/// # Errors
/// `PERMISSION_DENIED` if it is nothing, or not the Worker or the namespace that the filters name.
pub(super) fn readable<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    parameters: &[(&str, &str)],
) -> Result<Readable, Problem> {
    let readable = access.readable(caller)?;
    if readable == Readable::Everything {
        return Ok(readable);
    }
    let filter = |name| {
        parameters
            .iter()
            .find(|(given, _)| *given == name)
            .map(|(_, value)| *value)
    };
    let namespace = filter("namespace").and_then(Namespace::from_name);
    let worker = filter("worker").and_then(|name| WorkerName::parse(name).ok());
    let named = match (namespace, worker) {
        (Some(namespace), Some(worker)) => Some(Request::worker(Action::Read, Target { namespace, worker })),
        (Some(namespace), None) => Some(Request::namespace(Action::Read, namespace)),
        (None, _) if readable == Readable::Workers(Vec::new()) => Some(Request::platform(Action::Read)),
        (None, _) => None,
    };
    if let Some(request) = named {
        access.authorize(caller, &request, audit::Action::Read)?;
    }
    Ok(readable)
}

/// The verification of a part of the chain.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "AuditVerification")]
pub enum Verification {
    /// The part is not broken.
    Whole {
        /// True.
        #[schemars(extend("const" = true))]
        whole: bool,
        /// The first entry that is not archived, where the verification begins.
        first: u64,
        /// The last entry that is verified.
        size: u64,
        /// The hash of the last entry that is verified.
        head: Hash,
        /// The cursor of the next step; null at the end of the log.
        cursor: Option<String>,
    },
    /// An entry was changed, removed or inserted.
    Broken {
        /// False.
        #[schemars(extend("const" = false))]
        whole: bool,
        /// The first broken entry.
        broken_at: u64,
        /// How it is broken.
        how: String,
    },
}

/// `GET /v1/audit/verify`: verifies the next part of the chain, at most 1,000 entries or 1 MiB: from the first entry that
/// is not archived, or after the part that returned `cursor`. `size` and `head` are the last entry that is verified, and
/// `cursor` is null at the end of the log. A broken chain is an answer too: `"whole": false`, with the first broken entry
/// and how it is broken.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may administer or read the whole platform; `PARAMETER_INVALID`,
/// `RECORD_UNAVAILABLE`.
pub fn verify<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    may_see_all(access, caller)?;
    let cursors = Cursors::new(access.cursors, "audit verification");
    let from = Parameters::new(parameters, &["cursor"])?.cursor(&cursors, read_cursor)?;
    let verification = match audit_batch::verify_step(access.sql, from)? {
        Ok(step) => Verification::Whole {
            whole: true,
            first: step.first,
            size: step.head.size,
            head: step.head.hash,
            cursor: (!step.is_last).then(|| cursors.seal(&format!("{}-{}", step.head.size, step.head.hash))),
        },
        Err(broken) => Verification::Broken {
            whole: false,
            broken_at: broken.sequence,
            how: broken.how.to_string(),
        },
    };
    Answer::json(200, &verification)
}

/// The head that a cursor of [`verify`] names: its size and its hash.
fn read_cursor(text: &str) -> Option<Head> {
    let (size, hash) = text.split_once('-')?;
    Some(Head {
        size: size.parse::<u32>().ok()?.into(),
        hash: Hash::from_hex(hash).ok()?,
    })
}

/// `GET /v1/audit/checkpoint`: the log's length and head, signed, for an auditor to store.
///
/// # Errors
/// `PERMISSION_DENIED` unless the caller may administer or read the whole platform; `CHECKPOINT_KEY_MISSING`,
/// `RECORD_UNAVAILABLE`.
pub fn checkpoint<S: Sql>(
    access: &Access<'_, S>,
    caller: &Caller,
    key: Option<&CheckpointKey>,
) -> Result<Answer, Problem> {
    may_see_all(access, caller)?;
    let key = key.ok_or_else(|| {
        Problem::new(
            Code::CheckpointKeyMissing,
            "No key to sign checkpoints is configured.",
            "Create one with `openssl rand -hex 32` and set it as the Worker's secret CHECKPOINT_KEY.",
        )
    })?;
    let head = audit_log::head(access.sql)?;
    Answer::json(200, &key.sign(head, access.now))
}

/// The maximum length of the description of a change that was made without the deploy API, in characters.
const MAX_ACCOUNT: usize = 1000;

/// A change that was made without the deploy API.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakGlassRequest {
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    namespace: String,
    /// The Worker.
    #[schemars(with = "WorkerNameSchema")]
    worker: String,
    /// When it was changed.
    #[schemars(with = "Time")]
    at: Timestamp,
    /// The change, and its reason.
    #[schemars(length(min = 1, max = MAX_ACCOUNT))]
    why: String,
}

/// An entry that was appended to the audit log.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Recorded {
    /// The sequence number of the entry.
    sequence: u64,
}

/// `POST /v1/audit/break-glass`: records how an administrator changed a Worker without the deploy API, with the
/// account's own token, while the deploy API was down.
///
/// # Errors
/// `PERMISSION_DENIED` for anyone but an administrator; `BODY_INVALID`, `BODY_TOO_LARGE`, `RECORD_UNAVAILABLE`.
pub fn break_glass<S: Sql>(access: &Access<'_, S>, caller: &Caller, body: &[u8]) -> Result<Answer, Problem> {
    let allowed = access.authorize(
        caller,
        &Request::platform(Action::Admin),
        audit::Action::BreakGlass,
    )?;
    let BreakGlassRequest {
        namespace,
        worker,
        at,
        why,
    } = body::read(
        body,
        "{\"namespace\": \"dotdo-production\", \"worker\": \"agents\", \"at\": \"2026-11-24T12:00:00Z\", \
         \"why\": \"the change, and the reason\"}",
    )?;
    let invalid = |detail: String, fix: &str| Problem::new(Code::BodyInvalid, detail, fix);
    let namespace = Namespace::from_name(&namespace).ok_or_else(|| {
        invalid(
            format!("There is no namespace {namespace:?}."),
            "Correct \"namespace\".",
        )
    })?;
    let worker = WorkerName::parse(&worker).map_err(|error| {
        invalid(
            format!("{worker:?} is not a valid Worker name: {error}."),
            "Correct \"worker\".",
        )
    })?;
    if why.trim().is_empty() || why.chars().count() > MAX_ACCOUNT {
        return Err(invalid(
            format!("\"why\" is empty or longer than {MAX_ACCOUNT} characters."),
            "Describe the change in at most 1000 characters.",
        ));
    }
    if at > access.now {
        return Err(invalid(
            format!("\"at\" is {at}, which is in the future."),
            "Write the time of the change.",
        ));
    }
    let mut entry = access
        .entry(audit::Action::BreakGlass, Outcome::Succeeded)
        .about(&Target { namespace, worker })
        .by(caller)
        .under(Some(&allowed.rule), allowed.policy_version);
    entry.subject = Some(SubjectRecord::BreakGlass { why, at });
    Answer::json(
        201,
        &Recorded {
            sequence: access.record(&entry)?,
        },
    )
}
