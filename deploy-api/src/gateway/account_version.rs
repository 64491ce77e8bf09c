//! The upload and the deploy of a version of a Worker of the platform. For a Worker of the account that exists, `wrangler deploy` uploads a
//! version, and then deploys it with another call.
//!
//! The version is stored as a bundle, and nothing is sent to the upstream. The second call deploys the bundle as if it were uploaded then,
//! so the records, the lease and the checks are those of any deploy. A version that is not deployed is deleted after a day.

use dotdo_names::WorkerName;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Envelope;
use super::account_deploy::{authorize_deploy, read, target};
use super::query::Parameters;
use super::response::Reply;
use crate::audit;
use crate::bundles::{
    self, Digest, ObjectStore, OpenFailure, Retrying, StagedWriter, StoredBundle, staging_key,
};
use crate::code::Code;
use crate::deployments::DeploymentId;
use crate::deploys::{self, Gateway, Origin};
use crate::http::Request;
use crate::identity::ShownCredential;
use crate::ledger::{Authorized, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::{Permit, Renewing, Source, StoredForm, StreamOptions, StreamedUpload, read_streamed};

/// What is stored of a version beside its bundle.
#[derive(Serialize, Deserialize)]
struct Version {
    worker: String,
    /// The token or the identity that uploaded it.
    holder: String,
    digest: String,
}

/// `POST A/workers/scripts/{script}/versions`: stores a version.
///
/// # Errors
/// `ACCOUNT_WORKER_REFUSED` if it has static assets or sets secrets, which are not stored; the errors of an upload.
pub(super) async fn upload<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let target = target(worker);
    let authorized = authorize_deploy(gateway, credential, &target).await?;
    let permit = gateway.admit(request.content_length()).await?;
    match store_version(gateway, &authorized, worker, &permit, request).await {
        Ok((id, digest)) => Ok(Reply::Success(Envelope::of(json!({
            "id": id, "number": 1, "resources": { "script": { "etag": digest.to_string() } },
        })))),
        Err(problem) => Err(gateway
            .refuse(&authorized, &target, audit::Action::Deploy, problem, None)
            .await),
    }
}

async fn store_version<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    authorized: &Authorized,
    worker: &WorkerName,
    permit: &Permit,
    request: Request<'_, B>,
) -> Result<(DeploymentId, Digest), Problem> {
    // The parameter says that an inherited binding must exist, which the deploy says as well.
    Parameters::parse(request.query)?.only(&["bindings_inherit"])?;
    let content_type = request.header("content-type");
    let options = StreamOptions {
        content_length: request.content_length(),
    };
    let id = DeploymentId::new(gateway.now(), gateway.services.entropy());
    let store = Retrying::new(gateway.services, gateway.services);
    let writer = StagedWriter::stored(&store, staging_key(id.as_str()));
    let body = Renewing::new(request.body, permit, gateway.services);
    let upload = read_streamed(content_type, body, writer, options).await?;
    // Before anything of it is stored.
    if let Some(problem) = deploys::refused_for_platform(worker, &upload.metadata) {
        upload.abort().await;
        return Err(problem);
    }
    let sealed = upload.seal(None).await?;
    let version = Version {
        worker: worker.to_string(),
        holder: authorized.caller.holder(),
        digest: sealed.digest.to_string(),
    };
    let bytes = serde_json::to_vec(&version).unwrap_or_default();
    store
        .put(&version_key(&id), &bytes)
        .await
        .map_err(|failure| unavailable().caused_by(&failure))?;
    Ok((id, sealed.digest))
}

/// `POST A/workers/scripts/{script}/deployments`: deploys a version that the caller uploaded.
///
/// # Errors
/// `ACCOUNT_WORKER_REFUSED` for anything but one version with all requests; `DEPLOYMENT_UNKNOWN` for a version that is not stored, or that
/// somebody else uploaded; the errors of a deploy.
pub(super) async fn deploy<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    #[derive(Deserialize)]
    struct Deployment {
        versions: Vec<Part>,
    }
    #[derive(Deserialize)]
    struct Part {
        version_id: String,
        percentage: f64,
    }
    let target = target(worker);
    let authorized = authorize_deploy(gateway, credential, &target).await?;
    let wanted: Deployment = read(
        request,
        "{\"strategy\": \"percentage\", \"versions\": [{\"version_id\": \"…\", \"percentage\": 100}]}",
    )
    .await?;
    let id = match wanted.versions.as_slice() {
        [
            Part {
                version_id,
                percentage,
            },
        ] if (*percentage - 100.0).abs() < f64::EPSILON => {
            DeploymentId::parse(version_id).map_err(|_| version_unknown(worker))?
        }
        _ => {
            return Err(Problem::new(
                Code::AccountWorkerRefused,
                "A deploy through this API gives one version all requests.",
                "Run wrangler deploy.",
            ));
        }
    };
    let store = Retrying::new(gateway.services, gateway.services);
    let bundle = open(&store, &authorized, worker, &id).await?;
    let permit = gateway.admit(Some(bundle.size)).await?;
    let upload = read_version(gateway, &store, &bundle).await?;
    let (upload, _permit) = gateway.admit_upload(permit, upload).await?;
    let query = vec![
        ("excludeScript", "true".to_owned()),
        ("bindings_inherit", "strict".to_owned()),
    ];
    let origin = Origin::Version(id);
    let deploying = deploys::deploy(gateway, credential, &authorized, &target, upload, query, &origin);
    let deployed = Box::pin(deploying).await?.deployment;
    Ok(Reply::Success(Envelope::of(json!({
        "id": deployed.id, "strategy": "percentage", "source": "wrangler",
        "versions": [{ "version_id": deployed.id, "percentage": 100 }],
    }))))
}

/// Opens the bundle of a version that the caller uploaded.
async fn open(
    store: &impl ObjectStore,
    authorized: &Authorized,
    worker: &WorkerName,
    id: &DeploymentId,
) -> Result<StoredBundle, Problem> {
    let stored = store
        .get(&version_key(id), None)
        .await
        .map_err(|failure| unavailable().caused_by(&failure))?;
    let version = stored
        .and_then(|bytes| serde_json::from_slice::<Version>(&bytes).ok())
        .filter(|version| version.worker == worker.as_str() && version.holder == authorized.caller.holder())
        .ok_or_else(|| version_unknown(worker))?;
    let digest = Digest::parse(&version.digest).map_err(|_| version_unknown(worker))?;
    let opened = async {
        let bundle = bundles::open(store, &staging_key(id.as_str()), &digest, None).await?;
        bundle.verify_parts(store).await?;
        Ok(bundle)
    };
    opened.await.map_err(|failure| match failure {
        OpenFailure::Store(failure) => unavailable().caused_by(&failure),
        OpenFailure::Missing | OpenFailure::Broken(_) => version_unknown(worker).caused_by(&failure),
    })
}

/// Reads the bundle of a version as an upload.
async fn read_version<'s, L: LedgerClient, O: Services, S: ObjectStore>(
    gateway: &Gateway<'_, L, O>,
    store: &'s S,
    bundle: &StoredBundle,
) -> Result<StreamedUpload<'s, S>, Problem> {
    let (content_type, form) = StoredForm::of(store, bundle, gateway.services.entropy())
        .map_err(|broken| unavailable().caused_by(&broken))?;
    let writer = StagedWriter::new(store, staging_key(gateway.attempt.as_str()));
    read_streamed(Some(&content_type), form, writer, StreamOptions::default()).await
}

/// The key of what is stored of a version beside its bundle.
fn version_key(id: &DeploymentId) -> String {
    format!("{}.json", staging_key(id.as_str()))
}

fn version_unknown(worker: &WorkerName) -> Problem {
    Problem::new(
        Code::DeploymentUnknown,
        format!("There is no such version of {worker} that you uploaded within the last day."),
        "Run wrangler deploy, which uploads the version and deploys it. `dotdo rollback` deploys an earlier deployment again.",
    )
}

fn unavailable() -> Problem {
    Problem::new(
        Code::BundleStoreUnavailable,
        "The bundle store failed, so nothing was deployed.",
        "Try again in a moment.",
    )
    .retry_after(5)
}
