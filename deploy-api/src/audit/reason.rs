use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::code::Code;
use crate::identity::Rejection;
use crate::policy::Explanation;
use crate::problem::Problem;

/// Why an action was denied or failed. It consists of codes and explanations only, so it contains no text of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// The code of the error.
    #[serde(serialize_with = "name")]
    code: Code,
    /// A detail. For a rejected credential: the precise reason, which the caller does not get.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// The explanation of a denial, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    /// The bindings that a lint refused, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bindings: Vec<String>,
    /// The error number of the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_code: Option<u32>,
}

impl Reason {
    /// A failure with this code.
    #[must_use]
    pub const fn code(code: Code) -> Self {
        Self {
            code,
            cause: None,
            lines: Vec::new(),
            bindings: Vec::new(),
            upstream_code: None,
        }
    }

    /// The reason of a problem: its codes without its texts.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let reason = Self::code(problem.code);
        match &problem.upstream {
            Some(error) => reason.upstream(error.code),
            None => reason,
        }
    }

    /// A denial by the policy.
    #[must_use]
    pub fn denied(explanation: &Explanation) -> Self {
        Self {
            lines: explanation.lines(),
            ..Self::code(Code::PermissionDenied)
        }
    }

    /// A credential that was refused.
    #[must_use]
    pub fn rejected(rejection: Rejection) -> Self {
        Self {
            cause: Some(rejection.name()),
            ..Self::code(Code::AuthenticationFailed)
        }
    }

    /// The same with a detail. The text is a constant of the program, so it contains no text of a request.
    #[must_use]
    pub const fn because(mut self, cause: &'static str) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The same, about a binding.
    #[must_use]
    pub fn about_binding(mut self, name: impl Into<String>) -> Self {
        self.bindings.push(name.into());
        self
    }

    /// The same, with the error number of the upstream.
    #[must_use]
    pub const fn upstream(mut self, code: u32) -> Self {
        self.upstream_code = Some(code);
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}
