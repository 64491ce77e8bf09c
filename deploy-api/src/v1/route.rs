use std::sync::LazyLock;

use super::Operation;
use super::routes::ROUTES;
use crate::router::{Found, NoRoute, Routes};

static ROUTER: LazyLock<Routes<&'static Route>> = LazyLock::new(|| {
    ROUTES.iter().fold(Routes::new(), |routes, route| {
        routes.route(route.method, route.path, route)
    })
});

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

    /// The route of a request line.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(method: &str, path: &str) -> Result<Found<&'static Self>, NoRoute> {
        ROUTER.find(method, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, path: &str) -> Option<Operation> {
        Route::find(method, path).ok().map(|found| found.value.operation)
    }

    #[test]
    fn a_literal_segment_stands_before_a_capture() {
        assert_eq!(
            operation("DELETE", "/v1/tokens/self"),
            Some(Operation::TokenRevokeSelf)
        );
        assert_eq!(
            operation("DELETE", "/v1/tokens/0123456789abcdef"),
            Some(Operation::TokenRevoke)
        );
    }

    #[test]
    fn head_is_served_as_get() {
        assert_eq!(operation("HEAD", "/v1/health"), Some(Operation::Health));
        assert_eq!(operation("HEAD", "/v1/tokens/exchange"), None);
    }

    #[test]
    fn another_method_is_told_which_there_are() {
        let allowed = |path| match Route::find("PATCH", path) {
            Err(NoRoute::Method { allowed }) => allowed,
            other => panic!("{other:?}"),
        };
        assert_eq!(allowed("/v1/policy"), ["GET", "HEAD", "PUT"]);
        assert_eq!(allowed("/v1/tokens/exchange"), ["POST"]);
        assert_eq!(allowed("/v1/tokens"), ["POST", "GET", "HEAD"]);
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "/v1",
            "/v1/",
            "/v1/health/",
            "/v1//health",
            "/V1/health",
            "/v1/tokens/",
            "/v1/tokens/a/b",
            "/v1/namespaces/dotdo-staging/workers/agents/../lock",
            "/v2/health",
            "",
        ] {
            assert_eq!(Route::find("GET", path), Err(NoRoute::Path), "{path}");
        }
    }
}
