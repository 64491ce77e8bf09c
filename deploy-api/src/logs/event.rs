use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::deployments::DeploymentId;
use crate::schema::{NamespaceName, Time, WorkerName};

/// One event of a log, as the logs Worker stores it. Long texts end in `… [truncated]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogEvent {
    /// When it began.
    #[schemars(with = "Time")]
    pub time: Timestamp,
    /// The dispatch namespace.
    #[schemars(with = "NamespaceName")]
    pub namespace: String,
    /// The Worker.
    #[schemars(with = "WorkerName")]
    pub worker: String,
    /// Who reports it.
    pub source: LogSource,
    /// What started the Worker.
    pub trigger: LogTrigger,
    /// The deployment; null if it is not known.
    pub deployment: Option<DeploymentId>,
    /// Cloudflare's id of the version; null if it is not known.
    pub version: Option<String>,
    /// `ok`, or the reason of the runtime, such as `exception`, `exceededCpu` or `canceled`.
    pub outcome: String,
    /// The error code of the dispatch Worker; null if the runtime reports the event.
    pub code: Option<String>,
    /// The request id: the header `cf-ray`, which error pages show.
    pub request_id: Option<String>,
    /// The method of the request.
    pub method: Option<String>,
    /// The host of the request.
    pub host: Option<String>,
    /// The path of the request, without the query.
    pub path: Option<String>,
    /// The HTTP status of the response.
    pub status: Option<u16>,
    /// Milliseconds from the start to the end of all work.
    pub wall_ms: Option<u64>,
    /// Milliseconds of CPU time; null on the local platform.
    pub cpu_ms: Option<u64>,
    /// What the Worker wrote to the console.
    pub lines: Vec<LogLine>,
    /// The exceptions that nothing caught.
    pub exceptions: Vec<LogException>,
    /// How many lines and exceptions are left out because the event is too long.
    pub omitted: u64,
}

/// A line that a Worker wrote to the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLine {
    /// When it was written.
    #[schemars(with = "Time")]
    pub time: Timestamp,
    /// The level.
    pub level: LogLevel,
    /// The text.
    pub text: String,
}

/// An exception of a Worker, or the cause of an error of the dispatch Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogException {
    /// When it was thrown.
    #[schemars(with = "Time")]
    pub time: Timestamp,
    /// The name, such as `TypeError`; the code of an error of the dispatch Worker.
    pub name: String,
    /// The message.
    pub message: String,
    /// The stack, if there is one.
    pub stack: Option<String>,
}

/// Who reports an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogSource {
    /// The runtime that ran the Worker.
    Worker,
    /// The dispatch Worker, which answered with an error instead of a response of the Worker.
    Dispatcher,
}

/// What started a Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogTrigger {
    /// A request.
    Request,
    /// A call of a method through a binding.
    Call,
    /// A cron.
    Scheduled,
    /// The alarm of a Durable Object.
    Alarm,
    /// A batch of messages of a queue.
    Queue,
    /// An email.
    Email,
    /// Traces of another Worker.
    Tail,
    /// A message of a WebSocket of a Durable Object.
    WebSocket,
    /// Something else.
    Other,
}

/// The level of a line, the least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// `console.debug`
    Debug,
    /// `console.log`
    Log,
    /// `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

impl LogLevel {
    /// Every level, the least severe first.
    pub const ALL: [Self; 5] = [Self::Debug, Self::Log, Self::Info, Self::Warn, Self::Error];

    /// The name in events and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Log => "log",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The level with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// A page of the log of a Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogPage {
    /// The events, the newest first.
    pub items: Vec<LogEvent>,
    /// The cursor of the next page; null on the last page.
    pub cursor: Option<String>,
    /// The events that were not stored because too many came at once.
    pub dropped: DroppedEvents,
}

/// The events of a log that were not stored within the last seven days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DroppedEvents {
    /// How many.
    pub events: u64,
    /// When the last ones were dropped; null if none were.
    #[schemars(with = "Option<Time>")]
    pub last: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_the_logs_worker_writes_it() {
        let text = r#"{"time":"2026-11-28T12:00:00.25Z","namespace":"dotdo-staging","worker":"agents","source":"worker",
            "trigger":"web_socket","deployment":"0190f5c0-0000-7000-8000-000000000001","version":"v1","outcome":"exception",
            "code":null,"request_id":"8f1f0d3c2b1a0987-AMS","method":"POST","host":"agents.do","path":"/pay","status":201,
            "wall_ms":12,"cpu_ms":null,"lines":[{"time":"2026-11-28T12:00:00.25Z","level":"info","text":"paid"}],
            "exceptions":[{"time":"2026-11-28T12:00:00.25Z","name":"TypeError","message":"broken","stack":null}],"omitted":0}"#;
        let event: LogEvent = serde_json::from_str(text).unwrap();
        assert_eq!(event.trigger, LogTrigger::WebSocket);
        assert_eq!(event.lines[0].level, LogLevel::Info);
        let compact: String = text.lines().map(str::trim).collect();
        assert_eq!(serde_json::to_string(&event).unwrap(), compact);
    }

    #[test]
    fn levels_are_named_and_ordered() {
        assert!(LogLevel::ALL.is_sorted());
        for level in LogLevel::ALL {
            assert_eq!(LogLevel::from_name(level.name()), Some(level));
            assert_eq!(
                serde_json::to_string(&level).unwrap(),
                format!("\"{}\"", level.name())
            );
        }
        assert_eq!(LogLevel::from_name("notice"), None);
    }
}
