use std::sync::LazyLock;

use super::Operation;
use super::route::Route;
use crate::router::{Found, NoRoute, Routes};

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
    Route::new("GET", "/v1/health", Operation::Health, "Health")
        .open()
        .may_authenticate(),
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
        .with(&["dry_run", "confirm"]),
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
    Route::new(
        "GET",
        "/v1/audit/verify",
        Operation::AuditVerify,
        "AuditVerification",
    )
    .with(&["cursor"]),
    Route::new(
        "GET",
        "/v1/audit/segments",
        Operation::AuditSegmentList,
        "AuditSegmentPage",
    )
    .with(PAGED),
    Route::new(
        "GET",
        "/v1/audit/segments/{first}",
        Operation::AuditSegmentGet,
        "AuditSegmentObject",
    ),
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
    Route::new(
        "GET",
        namespace!("/deployments"),
        Operation::NamespaceDeploymentList,
        "DeploymentPage",
    )
    .with(&["since", "until", "limit", "cursor"]),
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
    Route::new("GET", worker!("/probe"), Operation::HealthCheckGet, "ProbeState"),
    Route::new("PUT", worker!("/probe"), Operation::HealthCheckPut, "ProbeState").takes("Probe"),
    Route::new(
        "DELETE",
        worker!("/probe"),
        Operation::HealthCheckDelete,
        "ProbeState",
    ),
];

/// The router of [`ROUTES`].
static ROUTER: LazyLock<Routes<&'static Route>> = LazyLock::new(|| {
    ROUTES.iter().fold(Routes::new(), |routes, route| {
        routes.route(route.method, route.path, route)
    })
});

impl Route {
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
    use crate::audit::Query;

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

    #[test]
    fn the_audit_log_has_the_parameters_that_its_query_reads() {
        let route = Route::find("GET", "/v1/audit").unwrap().value;
        let read: Vec<_> = Query::parameters().chain(["format"]).collect();
        assert_eq!(route.parameters, read);
    }

    #[test]
    fn every_route_is_found() {
        for route in ROUTES {
            let path = route.path.replace(['{', '}'], "");
            let found = Route::find(route.method, &path).map(|found| found.value);
            assert_eq!(found, Ok(route), "{} {path}", route.method);
        }
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
