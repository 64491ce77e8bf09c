use std::sync::LazyLock;

use super::Operation;
use super::documents::{AuditSegmentObject, JsonSchemaDocument, OpenApiDocument};
use super::page::Page;
use super::route::Route;
use super::{
    deletion, dispatcher, drift, everywhere, health, import, logs, namespaces, preview, promote, rollback,
    secrets, tags, verify, workers,
};
use crate::account::{AccountHosts, AccountQueues, AccountWorker, ListedWorker};
use crate::audit::Checkpoint;
use crate::deployments::HealthCheckRequest;
use crate::deploys::PromotionDifference;
use crate::ledger::calls::{
    audit, audit_segments, exchange, explain, health_check, locks, policy, shown_deployment, status, tokens,
    whoami,
};
use crate::logs::LogPage;
use crate::policy::PolicyDocument;
use crate::router::{Found, NoRoute, Routes};
use crate::store::policies::PolicyVersion;
use crate::store::tokens::TokenRecord;

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
    Route::new::<health::Health>("GET", "/v1/health", Operation::Health)
        .open()
        .may_authenticate(),
    Route::new::<OpenApiDocument>("GET", "/v1/openapi.json", Operation::OpenApi).open(),
    Route::new::<JsonSchemaDocument>("GET", "/v1/policy/schema.json", Operation::PolicySchema)
        .open()
        .media_type("application/schema+json"),
    Route::new::<whoami::WhoAmI>("GET", "/v1/whoami", Operation::WhoAmI),
    Route::new::<exchange::Exchanged<'static>>("POST", "/v1/tokens/exchange", Operation::TokenExchange)
        .open()
        .takes::<super::exchange::ExchangeRequest>(),
    Route::new::<tokens::Created<'static>>("POST", "/v1/tokens", Operation::TokenCreate)
        .created()
        .takes::<tokens::CreateRequest>(),
    Route::new::<Page<TokenRecord>>("GET", "/v1/tokens", Operation::TokenList)
        .with(&["kind", "limit", "cursor"]),
    Route::new::<TokenRecord>("DELETE", "/v1/tokens/self", Operation::TokenRevokeSelf),
    Route::new::<TokenRecord>("DELETE", "/v1/tokens/{token}", Operation::TokenRevoke),
    Route::new::<policy::Got<'static>>("GET", "/v1/policy", Operation::PolicyGet).with(&["version"]),
    Route::new::<policy::Put>("PUT", "/v1/policy", Operation::PolicyPut)
        .takes_policy::<PolicyDocument>()
        .with(&["dry_run", "confirm"]),
    Route::new::<Page<PolicyVersion>>("GET", "/v1/policy/versions", Operation::PolicyVersions).with(PAGED),
    Route::new::<explain::Explained>("POST", "/v1/policy/explain", Operation::PolicyExplain)
        .takes::<explain::ExplainRequest>(),
    Route::new::<audit::AuditPage>("GET", "/v1/audit", Operation::AuditList).with(&[
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
    Route::new::<audit::Verification>("GET", "/v1/audit/verify", Operation::AuditVerify).with(&["cursor"]),
    Route::new::<Page<audit_segments::ShownSegment>>(
        "GET",
        "/v1/audit/segments",
        Operation::AuditSegmentList,
    )
    .with(PAGED),
    Route::new::<AuditSegmentObject>("GET", "/v1/audit/segments/{first}", Operation::AuditSegmentGet)
        .media_type("application/x-ndjson"),
    Route::new::<Checkpoint>("GET", "/v1/audit/checkpoint", Operation::AuditCheckpoint),
    Route::new::<audit::Recorded>("POST", "/v1/audit/break-glass", Operation::AuditBreakGlass)
        .created()
        .takes::<audit::BreakGlassRequest>(),
    Route::new::<Page<shown_deployment::Shown<'static>>>(
        "GET",
        "/v1/deployments",
        Operation::AllDeploymentList,
    )
    .with(&["since", "until", "namespace", "worker", "limit", "cursor"]),
    Route::new::<status::Status>("GET", "/v1/status", Operation::Status),
    Route::new::<dispatcher::DispatchWorker>("GET", "/v1/dispatcher", Operation::Dispatcher),
    Route::new::<everywhere::Everywhere>("GET", "/v1/workers/{worker}", Operation::WorkerEverywhere),
    Route::new::<Page<ListedWorker>>("GET", "/v1/account/workers", Operation::AccountWorkerList).with(PAGED),
    Route::new::<AccountWorker>(
        "GET",
        "/v1/account/workers/{account_worker}",
        Operation::AccountWorkerGet,
    ),
    Route::new::<AccountHosts>("GET", "/v1/account/hosts", Operation::AccountHostList).with(&["cursor"]),
    Route::new::<AccountQueues>("GET", "/v1/account/queues", Operation::AccountQueueList).with(&["cursor"]),
    Route::new::<namespaces::Listed>("GET", "/v1/namespaces", Operation::NamespaceList),
    Route::new::<namespaces::Shown>("GET", namespace!(""), Operation::NamespaceGet),
    Route::new::<locks::Shown>("GET", namespace!("/lock"), Operation::NamespaceLockGet),
    Route::new::<locks::Shown>("PUT", namespace!("/lock"), Operation::NamespaceLock)
        .takes::<locks::LockRequest>(),
    Route::new::<locks::Shown>("DELETE", namespace!("/lock"), Operation::NamespaceUnlock),
    Route::new::<Page<shown_deployment::Shown<'static>>>(
        "GET",
        namespace!("/deployments"),
        Operation::NamespaceDeploymentList,
    )
    .with(&["since", "until", "limit", "cursor"]),
    Route::new::<Page<workers::Listed>>("GET", namespace!("/workers"), Operation::WorkerList)
        .with(&["limit", "cursor", "tag"]),
    Route::new::<workers::Shown>("GET", worker!(""), Operation::WorkerGet),
    Route::new::<()>("DELETE", worker!(""), Operation::WorkerDelete)
        .previews::<deletion::Previewed<'static>>()
        .with(&["dry_run"]),
    Route::new::<secrets::Listed>("GET", worker!("/secrets"), Operation::SecretList),
    Route::new::<secrets::SecretName>("PUT", worker!("/secrets/{secret}"), Operation::SecretPut)
        .takes::<secrets::PutRequest>(),
    Route::new::<()>("DELETE", worker!("/secrets/{secret}"), Operation::SecretDelete),
    Route::new::<tags::Tags<'static>>("GET", worker!("/tags"), Operation::TagList),
    Route::new::<tags::Tags<'static>>("PUT", worker!("/tags"), Operation::TagPut)
        .takes::<tags::TagsRequest>(),
    Route::new::<Page<shown_deployment::Shown<'static>>>(
        "GET",
        worker!("/deployments"),
        Operation::DeploymentList,
    )
    .with(PAGED),
    Route::new::<shown_deployment::Shown<'static>>(
        "GET",
        worker!("/deployments/{deployment}"),
        Operation::DeploymentGet,
    ),
    Route::new::<shown_deployment::Shown<'static>>("POST", worker!("/rollback"), Operation::Rollback)
        .created()
        .previews::<rollback::Previewed<'static>>()
        .with(&["dry_run", "confirm"])
        .may_take::<rollback::RollbackRequest>(),
    Route::new::<shown_deployment::Shown<'static>>("POST", worker!("/import"), Operation::Import)
        .created()
        .takes_secrets::<import::ImportRequest>(),
    Route::new::<drift::Resolved<'static>>("POST", worker!("/drift"), Operation::DriftResolve)
        .with(&["confirm"])
        .takes::<drift::DriftRequest>(),
    Route::new::<shown_deployment::Deployed<'static, PromotionDifference>>(
        "POST",
        worker!("/promote"),
        Operation::Promote,
    )
    .created()
    .previews::<promote::Previewed<'static>>()
    .with(&["dry_run", "confirm"])
    .takes::<promote::PromoteRequest>(),
    Route::new::<shown_deployment::Shown<'static>>("POST", worker!("/preview"), Operation::Preview)
        .created()
        .with(&["confirm"])
        .takes::<preview::PreviewRequest>(),
    Route::new::<verify::Verification>("POST", worker!("/verify"), Operation::Verify)
        .with(&["path", "expect"]),
    Route::new::<LogPage>("GET", worker!("/logs"), Operation::LogRead).with(logs::PARAMETERS),
    Route::new::<locks::Shown>("GET", worker!("/lock"), Operation::LockGet),
    Route::new::<locks::Shown>("PUT", worker!("/lock"), Operation::Lock).takes::<locks::LockRequest>(),
    Route::new::<locks::Shown>("DELETE", worker!("/lock"), Operation::Unlock),
    Route::new::<health_check::Shown>("GET", worker!("/health-check"), Operation::HealthCheckGet),
    Route::new::<health_check::Shown>("PUT", worker!("/health-check"), Operation::HealthCheckPut)
        .takes::<HealthCheckRequest>(),
    Route::new::<health_check::Shown>("DELETE", worker!("/health-check"), Operation::HealthCheckDelete),
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
            assert_eq!(Route::find("GET", path).err(), Some(NoRoute::Path), "{path}");
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
            assert_eq!(
                found.map(|route| route.operation),
                Ok(route.operation),
                "{} {path}",
                route.method
            );
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
