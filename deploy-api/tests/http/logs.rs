//! The log of a Worker: what the logs Worker is asked for.

use deploy_api::logs::{LogLevel, Position};
use serde_json::json;

use super::alone::{Answered, Call, create_token};
use crate::support::api::{Api, cursor_key};
use crate::support::rules;

const LOGS: &str = "/v1/namespaces/dotdo-staging/workers/agents/logs";

/// The answer to a person who may read logs.
fn get(method: &str, query: &str) -> Answered {
    let rule = rules::with(rules::alice(), "/actions", json!(["logs"]));
    let api = Api::with_policy(&[rule]);
    let made = create_token(&api, "logs");
    let bearer = format!("Bearer {}", made.json()["token"].as_str().unwrap());
    let path = format!("{LOGS}?{query}");
    Call::new(method, &path)
        .header("authorization", &bearer)
        .send(&api)
}

#[test]
fn a_log_that_the_logs_worker_does_not_return_is_unavailable() {
    let answered = get("GET", "");
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (503, "LOGS_UNAVAILABLE")
    );
    assert_eq!(answered.header("retry-after"), Some("5"));
}

#[test]
fn a_stream_is_a_query_of_the_logs_worker() {
    let answered = get(
        "GET",
        "follow=true&since=1970-01-01&level=warn&search=a&request_id=ray-1&after=7-9",
    );
    assert_eq!(answered.status, 200, "{}", answered.text);
    assert_eq!(answered.header("content-type"), Some("text/event-stream"));
    let query = answered.log_stream.unwrap();
    assert_eq!(query.target.to_string(), "dotdo-staging/agents");
    assert_eq!(query.since.unwrap().as_second(), 0);
    assert_eq!(query.level, Some(LogLevel::Warn));
    assert_eq!(query.search.as_deref(), Some("a"));
    assert_eq!(query.request_id.as_deref(), Some("ray-1"));
    assert_eq!(query.position, Position::parse("7-9"));
    assert_eq!(get("HEAD", "follow=true").log_stream, None);
}

#[test]
fn parameters_that_are_invalid_or_do_not_belong_together_are_refused() {
    let of_another_list = format!("cursor={}", cursor_key().seal("another list", "1-2"));
    for query in [
        of_another_list.as_str(),
        "cursor=1-2",
        "surprise=1",
        "limit=0",
        "limit=1001",
        "since=now",
        "until=1y",
        "follow=true&cursor=x",
        "follow=true&until=1h",
        "follow=true&limit=5",
        "after=1-2",
        "follow=true&after=1",
        "level=notice",
        "search=",
    ] {
        let answered = get("GET", query);
        assert_eq!(
            (answered.status, answered.code().as_str()),
            (400, "PARAMETER_INVALID"),
            "{query}"
        );
        assert_eq!(answered.log_stream, None);
    }
}
