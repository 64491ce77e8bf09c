//! `GET …/workers/{worker}/logs`: the log of a Worker.

use super::page::{Cursors, Parameters, parameter_invalid};
use super::{Answer, Content};
use crate::audit;
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::logs::{LogLevel, LogPage, LogQuery, Position};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// The parameters.
pub(super) const PARAMETERS: &[&str] = &[
    "since",
    "until",
    "level",
    "search",
    "request_id",
    "limit",
    "cursor",
    "follow",
    "after",
];

/// The longest text to search for, in bytes.
pub(super) const MAX_SEARCH: usize = 200;

/// `GET …/logs`: a page of the events of a Worker, the newest first; with `follow=true` the events as they come, as server-sent events.
/// A Worker that is not deployed has the requests that the dispatch Worker received for it.
///
/// # Errors
/// `PERMISSION_DENIED`, `PARAMETER_INVALID`, `LOGS_UNAVAILABLE`, `RECORD_UNAVAILABLE`.
pub async fn read<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    parameters: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Logs, target.clone());
    let now = gateway
        .authorize_for(credential, vec![request], audit::Action::Read, target)
        .await?
        .now;
    if target.is_in_account() {
        return Err(Problem::new(
            Code::AccountWorkerRefused,
            format!(
                "The log of {target} is not stored: the logs Worker has only those of the Workers in namespaces."
            ),
            format!(
                "Read it in the dashboard of Cloudflare: Workers & Pages, {}, Observability.",
                target.worker
            ),
        ));
    }
    let parameters = Parameters::new(parameters, PARAMETERS)?;
    let is_stream = parameters
        .parse("follow", "true or false", |value| value.parse().ok())?
        .unwrap_or(false);
    let other = if is_stream {
        ["limit", "cursor", "until"].as_slice()
    } else {
        &["after"]
    };
    if let Some(name) = other.iter().find(|name| parameters.get(name).is_some()) {
        let (state, fix) = if is_stream {
            ("with", "Leave it out, or leave `follow` out")
        } else {
            ("without", "Add `follow=true`")
        };
        return Err(parameter_invalid(
            format!("The parameter {name:?} does not exist {state} `follow`."),
            format!("{fix}."),
        ));
    }
    let cursors = Cursors::new(gateway.cursor_key, format!("log of {target}"));
    let query = LogQuery {
        target: target.clone(),
        since: parameters.time("since", now)?,
        until: parameters.time("until", now)?,
        level: parameters.parse(
            "level",
            &format!("one of {}", LogLevel::ALL.map(LogLevel::name).join(", ")),
            LogLevel::from_name,
        )?,
        search: text(&parameters, "search", MAX_SEARCH)?,
        request_id: text(&parameters, "request_id", MAX_SEARCH)?,
        limit: parameters.limit()?,
        position: if is_stream {
            parameters.parse("after", "the id of an event of this stream", Position::parse)?
        } else {
            parameters.cursor(&cursors, Position::parse)?
        },
    };
    if is_stream {
        return Ok(Answer {
            status: 200,
            content: Content::LogStream(Box::new(query)),
            version: None,
        });
    }
    let page = gateway
        .services
        .log_page(&query)
        .await
        .map_err(|failure| logs_unavailable(&failure))?;
    let cursor = page.cursor.map(|position| cursors.seal(&position));
    Answer::json(200, &LogPage { cursor, ..page })
}

fn text(parameters: &Parameters<'_>, name: &str, longest: usize) -> Result<Option<String>, Problem> {
    parameters.parse(name, &format!("1 to {longest} bytes of text"), |value| {
        (1..=longest).contains(&value.len()).then(|| value.to_owned())
    })
}

/// The error if the logs Worker does not return a log.
#[must_use]
pub fn logs_unavailable(cause: &impl ToString) -> Problem {
    Problem::new(
        Code::LogsUnavailable,
        "The logs Worker did not return the log.",
        "Try again in a moment.",
    )
    .caused_by(cause)
    .retry_after(5)
}
