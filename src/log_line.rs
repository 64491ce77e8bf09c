use serde::Serialize;

use crate::failure::Failure;

/// One failure in the log: a line of JSON, which Workers Logs takes apart into fields.
#[derive(Debug, Serialize)]
pub struct LogLine<'a> {
    code: &'static str,
    status: u16,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    request_id: &'a str,
    cause: &'a str,
}

/// The longest cause that is logged, in bytes: a user Worker writes it, and the platform cuts off a request's log as a
/// whole at 256 KB (<https://developers.cloudflare.com/workers/observability/logs/workers-logs/#limits>).
const MAX_CAUSE: usize = 2048;

impl<'a> LogLine<'a> {
    /// What the log holds of a failure.
    #[must_use]
    pub fn new(failure: &'a Failure, host: &'a str, request_id: &'a str) -> Self {
        let target = &failure.target;
        Self {
            code: failure.code.name(),
            status: failure.code.status(),
            host,
            environment: target.environment.map(|environment| environment.name()),
            worker: target.worker.as_deref(),
            rule: target.rule.as_deref(),
            request_id,
            cause: shortened(&failure.cause),
        }
    }

    /// The line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings and a number: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn shortened(cause: &str) -> &str {
    cause.get(..cause.floor_char_boundary(MAX_CAUSE)).unwrap_or(cause)
}

#[cfg(test)]
mod tests {
    use dotdo_names::Environment;
    use serde_json::{Value, json};

    use super::*;
    use crate::failure::Target;

    #[test]
    fn it_is_one_line_whatever_the_cause_holds() {
        let target = Target {
            environment: Some(Environment::Staging),
            worker: Some("agents".to_owned()),
            rule: Some("built-in `{env}.{worker}.do`".to_owned()),
        };
        let failure = Failure::unavailable("two\nlines \"and\" \u{0}".to_owned(), target);
        let line = LogLine::new(&failure, "staging.agents.do", "ray-1").to_json();
        assert!(!line.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "code": "DISPATCH_UNAVAILABLE",
                "status": 503,
                "host": "staging.agents.do",
                "environment": "staging",
                "worker": "agents",
                "rule": "built-in `{env}.{worker}.do`",
                "request_id": "ray-1",
                "cause": "two\nlines \"and\" \u{0}",
            })
        );
    }

    #[test]
    fn a_long_cause_is_cut_between_characters() {
        let failure = Failure::unavailable("ü".repeat(MAX_CAUSE), Target::default());
        let line = LogLine::new(&failure, "", "").to_json();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["cause"], "ü".repeat(MAX_CAUSE / 2));
        assert_eq!(line.get("worker"), None);
    }
}
