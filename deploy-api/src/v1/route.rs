use super::Operation;

/// The longest body of most calls, in bytes.
pub const MAX_BODY: usize = 32 * 1024;

/// One call of `/v1`: what the request line must be, who may send it, and what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method. `HEAD` is served wherever `GET` is.
    pub method: &'static str,
    /// The path, with captures in braces: `/v1/tokens/{id}`.
    pub path: &'static str,
    /// What is done.
    pub operation: Operation,
    /// Whether it is served to anyone, without a credential.
    pub is_open: bool,
    /// Whether an open call reads a credential nevertheless, and answers an administrator with more.
    pub may_authenticate: bool,
    /// What body is read; nothing for a call without one.
    pub takes: Option<Taken>,
    /// The parameters that the query may have.
    pub parameters: &'static [&'static str],
    /// The status of the answer, unless there is a problem.
    pub status: u16,
    /// The answer, by the name of its schema in the OpenAPI document.
    pub answer: &'static str,
}

/// The body that a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The name of its schema in the OpenAPI document.
    pub schema: &'static str,
    /// The longest that is read, in bytes.
    pub longest: usize,
    /// Whether it may be left out.
    pub is_optional: bool,
}

impl Route {
    pub(super) const fn new(
        method: &'static str,
        path: &'static str,
        operation: Operation,
        answer: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            operation,
            is_open: false,
            may_authenticate: false,
            takes: None,
            parameters: &[],
            status: 200,
            answer,
        }
    }

    pub(super) const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    pub(super) const fn may_authenticate(mut self) -> Self {
        self.may_authenticate = true;
        self
    }

    pub(super) const fn created(mut self) -> Self {
        self.status = 201;
        self
    }

    pub(super) const fn takes(mut self, schema: &'static str) -> Self {
        self.takes = Some(Taken {
            schema,
            longest: MAX_BODY,
            is_optional: false,
        });
        self
    }

    pub(super) const fn may_take(mut self, schema: &'static str) -> Self {
        self.takes = Some(Taken {
            schema,
            longest: MAX_BODY,
            is_optional: true,
        });
        self
    }

    pub(super) const fn takes_policy(mut self) -> Self {
        self.takes = Some(Taken {
            schema: "Policy",
            longest: crate::policy::MAX_POLICY,
            is_optional: false,
        });
        self
    }

    pub(super) const fn with(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }
}
