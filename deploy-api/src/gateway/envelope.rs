use serde::Serialize;
use serde_json::Value;

use super::product::Product;
use crate::problem::Problem;

/// The envelope of the Cloudflare API, in which wrangler expects every answer.
#[derive(Debug, Serialize)]
pub struct Envelope {
    success: bool,
    result: Value,
    errors: Vec<ApiError>,
    messages: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_info: Option<Value>,
}

#[derive(Debug, Serialize)]
struct ApiError {
    code: u32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    documentation_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
}

/// A message in addition to the result. wrangler prints it only with an error, so it is kept with the deployment as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The number of the code that the line is about.
    pub code: u32,
    /// The line.
    pub message: String,
}

/// Cloudflare's codes by which wrangler distinguishes "does not exist" from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// 10007: the account has no such script.
    AccountScript,
    /// 10092: the namespace has no such script. With any other code `wrangler deploy` gives up.
    NamespaceScript,
    /// 10200: the account has no such workflow.
    Workflow,
    /// The account has no such resource. wrangler knows 10006 for a bucket and 7404 for a database.
    Resource(Product),
}

impl Envelope {
    /// A success.
    #[must_use]
    pub fn of(result: Value) -> Self {
        Self {
            success: true,
            result,
            errors: Vec::new(),
            messages: Vec::new(),
            result_info: None,
        }
    }

    /// The same with messages.
    #[must_use]
    pub fn with_messages(mut self, messages: Vec<Message>) -> Self {
        self.messages = messages;
        self
    }

    /// The same with the members of a list's page (`cursor`, `count`, …).
    #[must_use]
    pub fn with_info(mut self, info: Value) -> Self {
        self.result_info = Some(info);
        self
    }

    /// An error. wrangler prints each error with its code and page, then each message.
    #[must_use]
    pub fn failure(problem: &Problem) -> Self {
        let message = match problem.fix.as_str() {
            "" => problem.detail.clone(),
            fix => format!("{} {fix}", problem.detail),
        };
        let own = ApiError {
            code: problem.code.number(),
            message,
            documentation_url: Some(problem.code.page()),
            meta: None,
        };
        let upstream = problem.upstream.as_ref().map(|error| ApiError {
            code: error.code,
            message: error.message.clone(),
            documentation_url: None,
            meta: error.meta.clone(),
        });
        // wrangler acts on the first error's code (10021 gets a hint about the module), so the upstream's error is first.
        Self::refusal(
            upstream.into_iter().chain([own]).collect(),
            problem
                .notes
                .iter()
                .map(|line| Message {
                    code: problem.code.number(),
                    message: line.clone(),
                })
                .collect(),
        )
    }

    /// The answer, with HTTP status 404, to wrangler's question whether something exists.
    #[must_use]
    pub fn absent(what: Absent) -> Self {
        let (code, message) = match what {
            Absent::Resource(product) => {
                let traits = product.traits();
                return Self::refusal(
                    vec![ApiError {
                        code: traits.absent,
                        message: format!("The account does not have {} of this name or id.", traits.one),
                        documentation_url: None,
                        meta: None,
                    }],
                    Vec::new(),
                );
            }
            Absent::AccountScript => (10007, "This Worker does not exist on the account."),
            Absent::NamespaceScript => (10092, "This Worker does not exist in the dispatch namespace."),
            Absent::Workflow => (10200, "This workflow does not exist."),
        };
        Self::refusal(
            vec![ApiError {
                code,
                message: message.to_owned(),
                documentation_url: None,
                meta: None,
            }],
            Vec::new(),
        )
    }

    /// The same answer for a Worker of the account, with the reason why the Worker is ambiguous.
    #[must_use]
    pub fn unclear(problem: &Problem) -> Self {
        let mut envelope = Self::absent(Absent::AccountScript);
        envelope.errors.extend(Self::failure(problem).errors);
        envelope
    }

    fn refusal(errors: Vec<ApiError>, messages: Vec<Message>) -> Self {
        Self {
            success: false,
            result: Value::Null,
            errors,
            messages,
            result_info: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::{code::Code, problem::UpstreamError};

    #[test]
    fn a_success_has_the_members_that_wrangler_reads() {
        let envelope = to_value(Envelope::of(json!({"id": "agents"}))).unwrap();
        assert_eq!(
            envelope,
            json!({"success": true, "result": {"id": "agents"}, "errors": [], "messages": []})
        );
    }

    #[test]
    fn a_refusal_says_what_to_do_and_where_to_read() {
        let problem = Problem::new(Code::TailRefused, "No tail.", "Use the log.").note("a line");
        let envelope = to_value(Envelope::failure(&problem)).unwrap();
        assert_eq!(envelope["success"], false);
        assert_eq!(envelope["errors"][0]["code"], 740_117);
        assert_eq!(envelope["errors"][0]["message"], "No tail. Use the log.");
        assert!(
            envelope["errors"][0]["documentation_url"]
                .as_str()
                .unwrap()
                .ends_with("#tail_refused")
        );
        assert_eq!(envelope["messages"][0]["message"], "a line");
    }

    #[test]
    fn an_error_of_the_upstream_stands_before_ours() {
        let mut problem = Problem::new(Code::UpstreamRefused, "Refused.", "");
        problem.upstream = Some(Box::new(UpstreamError {
            code: 10021,
            message: "No event handlers".to_owned(),
            meta: None,
        }));
        let envelope = to_value(Envelope::failure(&problem)).unwrap();
        assert_eq!(envelope["errors"][0]["code"], 10021);
        assert_eq!(envelope["errors"][1]["code"], 740_164);
    }

    #[test]
    fn what_does_not_exist_is_told_with_cloudflares_own_codes() {
        for (what, code) in [
            (Absent::AccountScript, 10007),
            (Absent::NamespaceScript, 10092),
            (Absent::Workflow, 10200),
        ] {
            assert_eq!(
                to_value(Envelope::absent(what)).unwrap()["errors"][0]["code"],
                code
            );
        }
    }
}
