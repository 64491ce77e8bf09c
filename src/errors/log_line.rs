//! What the log has about a failure, and the id that it shares with the response.

use dotdo_names::Environment;
use serde::Serialize;

use super::failure::Failure;

/// The longest cause in the log, in bytes. A user Worker may have written it, and the platform truncates the log of a
/// request at 256 KB (<https://developers.cloudflare.com/workers/observability/logs/workers-logs/#limits>).
const MAX_CAUSE: usize = 2048;

/// The longest `cf-ray` that is accepted, in characters.
const MAX_RAY: usize = 64;

/// A line of JSON, which Workers Logs splits into fields.
#[derive(Serialize)]
struct LogLine<'a> {
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

/// A failure as one line of JSON. `host` is the request's host, with its port.
#[must_use]
pub fn log_line(failure: &Failure, host: &str, request_id: &str) -> String {
    let target = &failure.target;
    let line = LogLine {
        code: failure.code.name(),
        status: failure.code.status(),
        host,
        environment: target.environment.map(Environment::name),
        worker: target.worker.as_deref(),
        rule: target.rule.as_deref(),
        request_id,
        cause: truncated_cause(&failure.cause),
    };
    // A struct of texts and a number always serializes.
    serde_json::to_string(&line).unwrap_or_default()
}

/// The beginning of a cause, which a user Worker may have written.
#[must_use]
pub fn truncated_cause(cause: &str) -> &str {
    cause.get(..cause.floor_char_boundary(MAX_CAUSE)).unwrap_or(cause)
}

/// Whether a `cf-ray` header can be the request id. Cloudflare sets the header itself; elsewhere a client can send any text,
/// and the id is part of responses and of the log.
#[must_use]
pub fn is_ray(text: &str) -> bool {
    (1..=MAX_RAY).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::failure::Target;
    use super::*;

    #[test]
    fn a_failure_is_one_line_with_any_cause() {
        let target = Target {
            environment: Some(Environment::Staging),
            worker: Some("agents".to_owned()),
            rule: Some("built-in `{env}.{worker}.do`".to_owned()),
        };
        let failure = Failure::unavailable("two\nlines \"and\" \u{0}".to_owned(), target);
        let line = log_line(&failure, "staging.agents.do", "ray-1");
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
    fn a_long_cause_is_truncated_between_characters() {
        let failure = Failure::unavailable("ü".repeat(MAX_CAUSE), Target::default());
        let line = log_line(&failure, "", "");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["cause"], "ü".repeat(MAX_CAUSE / 2));
        assert_eq!(line.get("worker"), None);
    }

    #[test]
    fn only_the_form_of_a_ray_is_accepted_as_a_request_id() {
        assert!(is_ray("8f1f0d3c2b1a0987-AMS"));
        for text in ["", "a b", "a\"b", "<b>", "ü", "a\nb", &"a".repeat(MAX_RAY + 1)] {
            assert!(!is_ray(text), "{text}");
        }
    }
}
