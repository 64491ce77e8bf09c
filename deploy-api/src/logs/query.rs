use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LogLevel;
use crate::target::Target;

/// Which events of a log are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// The Worker.
    pub target: Target,
    /// Only events that began at this time or later.
    pub since: Option<Timestamp>,
    /// Only events that began before this time.
    pub until: Option<Timestamp>,
    /// Only events of this level or a more severe one.
    pub level: Option<LogLevel>,
    /// Only events that have this text in a line, an exception or the path, in any case.
    pub search: Option<String>,
    /// Only events of this request.
    pub request_id: Option<String>,
    /// The most events of a page.
    pub limit: u32,
    /// The position before which a page ends, or after which a stream begins.
    pub position: Option<Position>,
}

/// A position in the log of a Worker, and in the log that its namespace shares: `OWN-SHARED`, as the logs Worker writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(String);

impl Position {
    /// Reads a position; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = |digits: &str| {
            (1..=16).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (own, shared) = text.split_once('-')?;
        (is_number(own) && is_number(shared)).then(|| Self(text.to_owned()))
    }
}

impl LogQuery {
    /// The path and the query of a request to the logs Worker.
    #[must_use]
    pub fn to_path(&self, is_stream: bool) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let times = [("since", self.since), ("until", self.until)];
        for (name, time) in times {
            if let Some(time) = time {
                query.append_pair(name, &time.as_millisecond().to_string());
            }
        }
        for (name, text) in [
            ("level", self.level.map(LogLevel::name)),
            ("search", self.search.as_deref()),
            ("request", self.request_id.as_deref()),
            (
                "cursor",
                self.position.as_ref().map(|position| position.0.as_str()),
            ),
        ] {
            if let Some(text) = text {
                query.append_pair(name, text);
            }
        }
        query.append_pair("limit", &self.limit.to_string());
        let what = if is_stream { "/follow" } else { "" };
        format!("/{}{what}?{}", self.target, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use dotdo_names::{Environment, WorkerName};

    use super::*;

    #[test]
    fn a_query_is_a_path_of_the_logs_worker() {
        let mut query = LogQuery {
            target: Target {
                namespace: Environment::Staging.into(),
                worker: WorkerName::parse("agents").unwrap(),
            },
            since: None,
            until: None,
            level: None,
            search: None,
            request_id: None,
            limit: 100,
            position: None,
        };
        assert_eq!(query.to_path(false), "/dotdo-staging/agents?limit=100");
        query.since = Some(Timestamp::from_millisecond(1250).unwrap());
        query.level = Some(LogLevel::Warn);
        query.search = Some("a&limit=1 #".to_owned());
        query.request_id = Some("ray-1".to_owned());
        query.position = Position::parse("12-7");
        assert_eq!(
            query.to_path(true),
            "/dotdo-staging/agents/follow?since=1250&level=warn&search=a%26limit%3D1+%23&request=ray-1&cursor=12-7&limit=100"
        );
    }

    #[test]
    fn only_two_numbers_are_a_position() {
        assert!(Position::parse("0-1764331200000000").is_some());
        for text in ["", "-", "1", "1-", "-1", "1-2-3", "1-x", "12345678901234567-1"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
