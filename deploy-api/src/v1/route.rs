use super::operation::Operation;

/// The longest body of most calls, in bytes.
pub const MAX_BODY: usize = 32 * 1024;

/// One call of `/v1`: what the request line must be, who may send it, and what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method. `HEAD` is served wherever `GET` is.
    pub method: &'static str,
    /// The path, whose captures stand in braces: `/v1/tokens/{id}`.
    pub path: &'static str,
    /// What is done.
    pub operation: Operation,
    /// Whether it is served to anyone, without a credential.
    pub is_open: bool,
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

/// The parts of a path that a route captures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures<'a>(Vec<(&'static str, &'a str)>);

/// Why a request line leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// No route has that path.
    Path,
    /// Some do, with these methods.
    Method {
        /// For the header `Allow`.
        allowed: Vec<&'static str>,
    },
}

impl Captures<'_> {
    /// A captured part, as it was sent; empty for a name that the route's path does not have.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }
}

impl Route {
    const fn new(
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
            takes: None,
            parameters: &[],
            status: 200,
            answer,
        }
    }

    const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    const fn created(mut self) -> Self {
        self.status = 201;
        self
    }

    const fn takes(mut self, schema: &'static str) -> Self {
        self.takes = Some(Taken {
            schema,
            longest: MAX_BODY,
            is_optional: false,
        });
        self
    }

    const fn may_take(mut self, schema: &'static str) -> Self {
        self.takes = Some(Taken {
            schema,
            longest: MAX_BODY,
            is_optional: true,
        });
        self
    }

    const fn takes_policy(mut self) -> Self {
        self.takes = Some(Taken {
            schema: "Policy",
            longest: crate::policy::MAX_POLICY,
            is_optional: false,
        });
        self
    }

    const fn with(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    /// The route of a request line. Of several paths that fit, the first one in [`ROUTES`] is meant: a path without
    /// captures stands before one with them.
    ///
    /// # Errors
    /// When there is none.
    pub fn find<'a>(method: &str, path: &'a str) -> Result<(&'static Self, Captures<'a>), NoRoute> {
        let method = if method == "HEAD" { "GET" } else { method };
        let (meant, captures) = ROUTES
            .iter()
            .find_map(|route| Some((route.path, route.captures(path)?)))
            .ok_or(NoRoute::Path)?;
        let routes = ROUTES.iter().filter(|route| route.path == meant);
        if let Some(route) = routes.clone().find(|route| route.method == method) {
            return Ok((route, captures));
        }
        let mut allowed: Vec<_> = routes.map(|route| route.method).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        Err(NoRoute::Method { allowed })
    }

    fn captures<'a>(&self, path: &'a str) -> Option<Captures<'a>> {
        let mut captures = Captures::default();
        let mut sent = path.split('/');
        for expected in self.path.split('/') {
            let segment = sent.next()?;
            match capture_name(expected) {
                Some(name) if !segment.is_empty() => captures.0.push((name, segment)),
                None if segment == expected => {}
                _ => return None,
            }
        }
        sent.next().is_none().then_some(captures)
    }
}

/// The name of a capture, for a segment of a route's path that is one.
#[must_use]
pub fn capture_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

const PAGED: &[&str] = &["limit", "cursor"];

/// A path below one namespace's.
macro_rules! namespace {
    ($below:literal) => {
        concat!("/v1/namespaces/{namespace}", $below)
    };
}

/// A path below one Worker's.
macro_rules! worker {
    ($below:literal) => {
        concat!("/v1/namespaces/{namespace}/workers/{worker}", $below)
    };
}

/// Every call of `/v1`.
pub const ROUTES: &[Route] = &[
    Route::new("GET", "/v1/health", Operation::Health, "Health").open(),
    Route::new("GET", "/v1/openapi.json", Operation::OpenApi, "Document").open(),
    Route::new(
        "GET",
        "/v1/policy/schema.json",
        Operation::PolicySchema,
        "SchemaDocument",
    )
    .open(),
    Route::new(
        "POST",
        "/v1/tokens/exchange",
        Operation::TokenExchange,
        "DeployToken",
    )
    .open()
    .takes("ExchangeRequest"),
    Route::new("POST", "/v1/tokens", Operation::TokenCreate, "ApiToken")
        .created()
        .takes("TokenRequest"),
    Route::new("GET", "/v1/tokens", Operation::TokenList, "TokenPage").with(&["kind", "limit", "cursor"]),
    Route::new(
        "DELETE",
        "/v1/tokens/self",
        Operation::TokenRevokeSelf,
        "TokenRecord",
    ),
    Route::new(
        "DELETE",
        "/v1/tokens/{token}",
        Operation::TokenRevoke,
        "TokenRecord",
    ),
    Route::new("GET", "/v1/policy", Operation::PolicyGet, "HeldPolicy").with(&["version"]),
    Route::new("PUT", "/v1/policy", Operation::PolicyPut, "PolicyChange")
        .takes_policy()
        .with(&["dry_run"]),
    Route::new(
        "GET",
        "/v1/policy/versions",
        Operation::PolicyVersions,
        "PolicyVersionPage",
    )
    .with(PAGED),
    Route::new(
        "POST",
        "/v1/policy/explain",
        Operation::PolicyExplain,
        "Explained",
    )
    .takes("ExplainRequest"),
    Route::new("GET", "/v1/audit", Operation::AuditList, "AuditPage").with(&[
        "namespace",
        "worker",
        "deployment",
        "repository",
        "actor",
        "subject",
        "token",
        "rule",
        "request_id",
        "client",
        "outcome",
        "verb",
        "since",
        "until",
        "order",
        "cursor",
        "limit",
        "format",
    ]),
    Route::new("GET", "/v1/audit/verify", Operation::AuditVerify, "AuditWalk"),
    Route::new(
        "GET",
        "/v1/audit/checkpoint",
        Operation::AuditCheckpoint,
        "Checkpoint",
    ),
    Route::new(
        "POST",
        "/v1/audit/break-glass",
        Operation::AuditBreakGlass,
        "Recorded",
    )
    .created()
    .takes("BreakGlassRequest"),
    Route::new(
        "GET",
        "/v1/namespaces",
        Operation::NamespaceList,
        "NamespaceItems",
    ),
    Route::new("GET", namespace!(""), Operation::NamespaceGet, "Namespace"),
    Route::new(
        "GET",
        namespace!("/lock"),
        Operation::NamespaceLockGet,
        "LockState",
    ),
    Route::new("PUT", namespace!("/lock"), Operation::NamespaceLock, "LockState").takes("LockRequest"),
    Route::new(
        "DELETE",
        namespace!("/lock"),
        Operation::NamespaceUnlock,
        "LockState",
    ),
    Route::new("GET", namespace!("/workers"), Operation::WorkerList, "WorkerPage")
        .with(&["limit", "cursor", "tag"]),
    Route::new("GET", worker!(""), Operation::WorkerGet, "Worker"),
    Route::new("DELETE", worker!(""), Operation::WorkerDelete, "Nothing"),
    Route::new("GET", worker!("/secrets"), Operation::SecretList, "SecretItems"),
    Route::new(
        "PUT",
        worker!("/secrets/{secret}"),
        Operation::SecretPut,
        "SecretName",
    )
    .takes("SecretRequest"),
    Route::new(
        "DELETE",
        worker!("/secrets/{secret}"),
        Operation::SecretDelete,
        "Nothing",
    ),
    Route::new("GET", worker!("/tags"), Operation::TagList, "Tags"),
    Route::new("PUT", worker!("/tags"), Operation::TagPut, "Tags").takes("TagsRequest"),
    Route::new(
        "GET",
        worker!("/deployments"),
        Operation::DeploymentList,
        "DeploymentPage",
    )
    .with(PAGED),
    Route::new(
        "GET",
        worker!("/deployments/{deployment}"),
        Operation::DeploymentGet,
        "Deployment",
    ),
    Route::new("POST", worker!("/rollback"), Operation::Rollback, "Deployment")
        .created()
        .may_take("RollbackRequest"),
    Route::new("POST", worker!("/promote"), Operation::Promote, "Deployment")
        .created()
        .takes("PromoteRequest"),
    Route::new("POST", worker!("/verify"), Operation::Verify, "Verified").with(&["probe", "expect"]),
    Route::new("GET", worker!("/lock"), Operation::LockGet, "LockState"),
    Route::new("PUT", worker!("/lock"), Operation::Lock, "LockState").takes("LockRequest"),
    Route::new("DELETE", worker!("/lock"), Operation::Unlock, "LockState"),
    Route::new("GET", worker!("/probe"), Operation::ProbeGet, "ProbeState"),
    Route::new("PUT", worker!("/probe"), Operation::ProbePut, "ProbeState").takes("Probe"),
    Route::new("DELETE", worker!("/probe"), Operation::ProbeDelete, "ProbeState"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Query;

    fn operation(method: &str, path: &str) -> Option<Operation> {
        Route::find(method, path).ok().map(|(route, _)| route.operation)
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
    fn captures_have_names() {
        let (_, captures) = Route::find(
            "PUT",
            "/v1/namespaces/dotdo-staging/workers/agents/secrets/API_KEY",
        )
        .unwrap();
        assert_eq!(captures.get("namespace"), "dotdo-staging");
        assert_eq!(captures.get("worker"), "agents");
        assert_eq!(captures.get("secret"), "API_KEY");
        assert_eq!(captures.get("deployment"), "");
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
        assert_eq!(allowed("/v1/policy"), ["GET", "PUT", "HEAD"]);
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

    #[test]
    fn the_audit_log_has_the_parameters_that_its_query_reads() {
        let (route, _) = Route::find("GET", "/v1/audit").unwrap();
        let read: Vec<_> = Query::parameters().chain(["format"]).collect();
        assert_eq!(route.parameters, read);
    }

    #[test]
    fn no_two_routes_are_the_same() {
        for (index, route) in ROUTES.iter().enumerate() {
            for other in ROUTES.iter().skip(index + 1) {
                assert!(
                    (route.method, route.path) != (other.method, other.path)
                        && route.operation != other.operation,
                    "{} {}",
                    route.method,
                    route.path
                );
            }
        }
    }
}
