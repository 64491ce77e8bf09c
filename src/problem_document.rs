use crate::failure::Failure;
use crate::json::ObjectWriter;

/// A failure as a problem document (RFC 9457, with the further members `code`, `fix` and `request_id`).
#[must_use]
pub fn problem_document(failure: &Failure, request_id: &str) -> String {
    let code = failure.code;
    ObjectWriter::new()
        .string("type", &code.page())
        .plain("title", code.title())
        .number("status", code.status().into())
        .string("detail", &failure.detail)
        .plain("code", code.name())
        .plain("fix", code.fix())
        .string("request_id", request_id)
        .finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::failure::Target;

    #[test]
    fn it_says_what_happened_what_to_do_and_where_to_read() {
        let failure = Failure::unavailable("secret \"cause\"".to_owned(), Target::default());
        let text = problem_document(&failure, "8f-\"<AMS>");
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
