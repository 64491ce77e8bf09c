use super::{Answer, Content};
use crate::code::Code;
use crate::http::Response;
use crate::logs::LogQuery;
use crate::problem::{PROBLEM_JSON, Problem};

/// The answer to a request, ready to be sent.
pub type Reply = Response;

pub(super) fn of_answer(answer: Answer, path: &str, query: &str) -> Reply {
    let (body, media_type, cursor, log_stream) = content(answer.content);
    let mut reply = Reply {
        status: answer.status,
        headers: vec![("content-type", media_type)],
        body,
        log_stream,
        problem: None,
    };
    if let Some(version) = answer.version {
        reply = reply.with("etag", format!("\"{version}\""));
    }
    if let Some(cursor) = cursor {
        reply = reply.with("link", next_page(path, query, &cursor));
    }
    reply
}

/// The problem document of a problem, with the headers that its status requires.
#[must_use]
pub fn of_problem(problem: Problem, request_id: &str) -> Reply {
    let mut reply = Reply {
        status: problem.code.status(),
        headers: vec![("content-type", PROBLEM_JSON.to_owned())],
        body: serde_json::to_string(&problem.document(request_id)).unwrap_or_default(),
        log_stream: None,
        problem: None,
    };
    if let Some(seconds) = problem.retry_after {
        reply = reply.with("retry-after", seconds.to_string());
    }
    if problem.code == Code::AuthenticationFailed {
        // RFC 9110, section 15.5.2: a 401 names the scheme.
        reply = reply.with("www-authenticate", "Bearer".to_owned());
    }
    reply.problem = Some(problem);
    reply
}

/// The content of an answer, its media type, the cursor of the next page, and the log whose events follow.
fn content(content: Content) -> (String, String, Option<String>, Option<Box<LogQuery>>) {
    match content {
        Content::Json(text) => (text, "application/json".to_owned(), None, None),
        Content::JsonLines { text, cursor } => (text, "application/x-ndjson".to_owned(), cursor, None),
        Content::Document { text, media_type } => (text.into_owned(), media_type.into_owned(), None, None),
        Content::LogStream(query) => (String::new(), "text/event-stream".to_owned(), None, Some(query)),
    }
}

/// RFC 8288: the same request with another cursor.
fn next_page(path: &str, query: &str, cursor: &str) -> String {
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish();
    format!("<{path}?{query}>; rel=\"next\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_the_same_request_with_another_cursor() {
        assert_eq!(
            next_page("/v1/audit", "format=ndjson&cursor=1&worker=a%26b", "500"),
            "</v1/audit?format=ndjson&worker=a%26b&cursor=500>; rel=\"next\""
        );
    }

    #[test]
    fn a_401_names_the_scheme_and_a_lock_out_when_it_ends() {
        let of = |problem| of_problem(problem, "ray-1").headers;
        let unauthorized = of(Problem::new(Code::AuthenticationFailed, "", ""));
        assert!(unauthorized.contains(&("www-authenticate", "Bearer".to_owned())));
        let locked_out = of(Problem::new(Code::LockedOut, "", "").retry_after(7));
        assert!(locked_out.contains(&("retry-after", "7".to_owned())));
    }
}
