use serde::Serialize;

use crate::failure::Failure;

/// A failure as a problem document (RFC 9457, with the further members `code`, `fix` and `request_id`).
#[derive(Debug, Serialize)]
pub struct ProblemDocument<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    fix: &'static str,
    request_id: &'a str,
}

impl<'a> ProblemDocument<'a> {
    /// What a client is told of a failure.
    #[must_use]
    pub fn new(failure: &'a Failure, request_id: &'a str) -> Self {
        let code = failure.code;
        Self {
            r#type: code.page(),
            title: code.title(),
            status: code.status(),
            detail: &failure.detail,
            code: code.name(),
            fix: code.fix(),
            request_id,
        }
    }

    /// The document's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings and a number: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::failure::Target;

    #[test]
    fn it_says_what_happened_what_to_do_and_where_to_read() {
        let failure = Failure::unavailable("secret \"cause\"".to_owned(), Target::default());
        let text = ProblemDocument::new(&failure, "8f-\"<AMS>").to_json();
        assert!(!text.contains("secret"));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({
                "type": failure.code.page(),
                "title": failure.code.title(),
                "status": 503,
                "detail": failure.detail,
                "code": "DISPATCH_UNAVAILABLE",
                "fix": failure.code.fix(),
                "request_id": "8f-\"<AMS>",
            })
        );
    }
}
