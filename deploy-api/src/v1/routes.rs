use super::Operation;
use super::route::Route;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Query;

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
