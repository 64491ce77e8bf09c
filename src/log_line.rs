use dotdo_names::Environment;

use crate::failure::Failure;
use crate::json::ObjectWriter;

/// The longest cause that is logged, in bytes: a user Worker writes it, and the platform cuts off a request's log as a
/// whole at 256 KB (<https://developers.cloudflare.com/workers/observability/logs/workers-logs/#limits>).
const MAX_CAUSE: usize = 2048;

/// One failure in the log: a line of JSON, which Workers Logs takes apart into fields.
#[must_use]
pub fn log_line(failure: &Failure, host: &str, request_id: &str) -> String {
    let target = &failure.target;
    ObjectWriter::new()
        .plain("code", failure.code.name())
        .number("status", failure.code.status().into())
        .string("host", host)
        .optional("environment", target.environment.map(Environment::name))
        .optional("worker", target.worker.as_deref())
        .optional("rule", target.rule.as_deref())
        .string("request_id", request_id)
        .string("cause", shortened(&failure.cause))
        .finish()
}

fn shortened(cause: &str) -> &str {
    cause.get(..cause.floor_char_boundary(MAX_CAUSE)).unwrap_or(cause)
}

#[cfg(test)]
mod tests {
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
    fn a_long_cause_is_cut_between_characters() {
        let failure = Failure::unavailable("ü".repeat(MAX_CAUSE), Target::default());
        let line = log_line(&failure, "", "");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["cause"], "ü".repeat(MAX_CAUSE / 2));
        assert_eq!(line.get("worker"), None);
    }
}
