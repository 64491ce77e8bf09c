//! The deploy of a client's upload.

use std::collections::BTreeSet;
use std::fmt;

use dotdo_names::WorkerName;
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::health_check::{self, HealthCheck, check_now, checked, no_deployment};
use super::inspect::find_drift;
use super::lease::Lease;
use super::remote::{current_bindings, remote_state, without_own};
use super::staging::{did_not_begin, discard};
use super::upload::{Script, UploadFailure, bundle_store_unavailable};
use super::upload_check::check;
use super::{Gateway, assets, upload};
use crate::attempt::AttemptId;
use crate::audit::Action;
use crate::bundles::{ObjectStore, Retrying, Staged, StoreFailure, bundle_key};
use crate::code::Code;
use crate::deployments::{Deployment, DeploymentId, ImportedFrom};
use crate::identity::ShownCredential;
use crate::ledger::{
    Authorized, BasedOn, Begin, Begun, Change, HealthCheckResult, LedgerClient, NewUpload, ScriptState,
};
use crate::lint::Refusal;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Metadata, NamespaceServices, SealedUpload, StreamedUpload};

/// A stored object of this age is reused if it cannot be written again. It is half of the age at which objects that no deployment
/// needs are deleted.
const REUSED: SignedDuration = SignedDuration::from_hours(12);

/// Where an upload comes from.
pub(crate) enum Origin {
    /// A client.
    Client,
    /// A client that uploaded it as this version before.
    Version(DeploymentId),
    /// A Worker of the account.
    Account {
        /// The Worker.
        from: ImportedFrom,
        /// Whether secrets are set with it.
        with_secrets: bool,
        /// The Workers of the namespace that take the place of Workers of the account.
        moved: BTreeSet<WorkerName>,
    },
}

impl Origin {
    /// The action that is recorded.
    const fn action(&self) -> Action {
        match self {
            Self::Client | Self::Version(_) => Action::Deploy,
            Self::Account { .. } => Action::Import,
        }
    }

    fn change(&self, upload: NewUpload) -> Change {
        let upload = Box::new(upload);
        match self {
            Self::Client | Self::Version(_) => Change::Deploy(upload),
            Self::Account {
                from, with_secrets, ..
            } => Change::Import {
                upload,
                from: from.clone(),
                with_secrets: *with_secrets,
            },
        }
    }

    /// The Workers that service bindings reach in the namespace although the account has them as well.
    fn moved(&self) -> &BTreeSet<WorkerName> {
        static NONE: BTreeSet<WorkerName> = BTreeSet::new();
        match self {
            Self::Client | Self::Version(_) => &NONE,
            Self::Account { moved, .. } => moved,
        }
    }
}

/// A part of the text that identifies the same upload; empty for an upload of a client.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client | Self::Version(_) => Ok(()),
            Self::Account { from, moved, .. } => {
                let moved: Vec<&str> = moved.iter().map(WorkerName::as_str).collect();
                write!(f, " import of {} with {}", from.worker, moved.join(","))
            }
        }
    }
}

/// A deploy that succeeded.
pub(crate) struct Deployed {
    /// The deployment.
    pub deployment: Deployment,
    /// The upstream's report of the changes that `exports` caused; `None` if it sent none, or an earlier attempt deployed it.
    pub exports_reconciliation: Option<Value>,
}

/// Deploys an upload: checks it, stores its bundle, takes the lease, sends it to the upstream, records the outcome, and makes the
/// health check. `authorized` says what allowed the caller to deploy before the body was read; the ledger decides again when the
/// deploy begins.
///
/// # Errors
/// Why it was not deployed; recorded.
pub(crate) async fn deploy<L: LedgerClient, O: Services, S: ObjectStore>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    authorized: &Authorized,
    target: &Target,
    upload: StreamedUpload<'_, S>,
    query: Vec<(&'static str, String)>,
    origin: &Origin,
) -> Result<Deployed, Problem> {
    let Prepared {
        intent,
        mut upload,
        upstream_jwt,
        services,
    } = match prepare(gateway, authorized, target, upload, &query, origin).await {
        Ok(prepared) => prepared,
        Err(refusal) => {
            let Refusal { problem, binding } = *refusal;
            return Err(gateway
                .refuse(authorized, target, origin.action(), problem, binding)
                .await);
        }
    };
    let key = intent.object.clone();
    let begin = gateway.begin(credential, target, origin.change(intent));
    // A small bundle is written while the intent is recorded; the upload waits for both. A large one is stored already.
    let store = store_small(gateway, &key, &upload.contents);
    let (stored, outcome) = join(store, begin_or_replay(gateway, authorized.now, begin)).await;
    let granted = match outcome {
        Ok(Begun::Lease(granted)) => granted,
        Ok(Begun::Replayed(deployment)) => {
            discard(gateway, &upload.contents).await;
            return Ok(Deployed {
                deployment: *deployment,
                exports_reconciliation: None,
            });
        }
        Ok(Begun::Check(due)) => {
            discard(gateway, &upload.contents).await;
            return Ok(Deployed {
                deployment: check_now(gateway, *due).await?,
                exports_reconciliation: None,
            });
        }
        Ok(Begun::Outdated) => {
            discard(gateway, &upload.contents).await;
            return Err(outdated(target));
        }
        Err(problem) => {
            if did_not_begin(&problem) {
                discard(gateway, &upload.contents).await;
            }
            return Err(problem);
        }
    };
    let lease = Lease::granted(gateway, target, *granted);
    if let Err(error) = stored {
        return Err(lease.fail(bundle_store_unavailable(&error)).await);
    }
    let Some(deployment) = lease.granted.deployment.clone() else {
        return Err(lease.fail(no_deployment()).await);
    };
    if let Some(jwt) = upstream_jwt {
        upload.metadata = upload.metadata.with_assets_jwt(jwt.expose_secret());
    }
    let script = Script {
        metadata: upload.metadata,
        services,
        parts: &upload.head.parts,
        contents: &upload.contents,
        query,
    };
    let uploaded = upload::upload(&lease, &deployment, ScriptState::default(), script)
        .await
        .map_err(UploadFailure::into_problem)?;
    Ok(Deployed {
        deployment: checked(gateway, &lease, uploaded.finished).await?,
        exports_reconciliation: uploaded.exports_reconciliation,
    })
}

/// Begins a deploy. A replay is confirmed by the upstream: somebody may have changed the Worker with the account's own token since,
/// and then the upload is deployed again. `since` is the ledger's time before the request.
///
/// # Errors
/// The ledger's problem; the upstream's problem if it does not say what it has.
async fn begin_or_replay<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    since: Timestamp,
    mut begin: Begin,
) -> Result<Begun, Problem> {
    let answer = gateway.send(&begin).await?;
    let due = match &answer {
        Begun::Replayed(_) => None,
        Begun::Check(due) => Some(due),
        Begun::Lease(_) | Begun::Outdated => return Ok(answer),
    };
    let there = remote_state(gateway.services, &begin.target)
        .await
        .map_err(|failure| failure.problem)?
        .map(|there| there.version);
    if find_drift(gateway, &begin.target, there.as_ref(), since)
        .await?
        .is_none()
    {
        return Ok(answer);
    }
    if let Some(due) = due {
        health_check::finish(gateway, &HealthCheck::of(due), HealthCheckResult::Superseded).await?;
    }
    // With a drift, nothing is replayed.
    begin.attempt = AttemptId::new(gateway.now(), gateway.services.entropy());
    gateway.send(&begin).await
}

/// Writes a bundle that is in memory. R2 refuses parallel writes of one key, which is the same bundle from parallel jobs.
async fn store_small<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    key: &str,
    contents: &Staged,
) -> Result<(), StoreFailure> {
    let Staged::Memory(bytes) = contents else {
        return Ok(());
    };
    let store = Retrying::new(gateway.services, gateway.services);
    let Err(failure) = store.put(key, bytes).await else {
        return Ok(());
    };
    let fresh = gateway.now().saturating_sub(REUSED).unwrap_or_default();
    match store.head(key).await {
        Ok(Some(head)) if head.uploaded > fresh => Ok(()),
        _ => Err(failure),
    }
}

/// An upload that was checked and is about to begin.
struct Prepared {
    intent: NewUpload,
    upload: SealedUpload,
    /// The upstream's completion token of the static assets.
    upstream_jwt: Option<SecretString>,
    /// The service bindings that reach Workers of the namespace.
    services: NamespaceServices,
}

async fn prepare<L: LedgerClient, O: Services, S: ObjectStore>(
    gateway: &Gateway<'_, L, O>,
    authorized: &Authorized,
    target: &Target,
    mut upload: StreamedUpload<'_, S>,
    query: &[(&'static str, String)],
    origin: &Origin,
) -> Result<Prepared, Box<Refusal>> {
    let checked = async {
        let findings = check(gateway, target, &upload.metadata, origin.moved()).await?;
        let assets = assets::of_upload(gateway, authorized, target, &upload.metadata)
            .await
            .map_err(Refusal::new)?;
        let bindings = if upload.metadata.takes_current_bindings() {
            // If the upstream does not tell, the deployment is recorded as one that cannot be redeployed exactly.
            current_bindings(gateway.services, target)
                .await
                .unwrap_or_default()
        } else {
            None
        };
        Ok((findings, assets, bindings))
    };
    let (findings, assets, bindings) = match checked.await {
        Ok(checked) => checked,
        Err(refusal) => {
            upload.abort().await;
            return Err(refusal);
        }
    };
    let holder = authorized.caller.holder();
    let about = format!("{target} {query:?}{origin}");
    let metadata = &upload.metadata;
    let fingerprint = gateway
        .fingerprint_key
        .of_stored(&holder, &about, metadata, &upload.parts);
    let is_completed = metadata.takes_current_bindings() || assets.kept_from.is_some();
    let based_on = is_completed.then(|| BasedOn {
        deployment: authorized.serving.as_ref().map(|serving| serving.id.clone()),
    });
    upload.current_bindings = bindings;
    let sealed = upload.seal(assets.reference).await.map_err(Refusal::new)?;
    Ok(Prepared {
        intent: NewUpload {
            bundle: sealed.record(),
            object: match &sealed.contents {
                Staged::Memory(_) => bundle_key(&sealed.digest),
                Staged::Object { key, .. } => key.clone(),
            },
            pins: assets.pins,
            fingerprint: fingerprint.0,
            tags: sealed.metadata.tags().map(without_own),
            migrations: sealed.metadata.migrations(),
            classes: sealed.metadata.object_classes(),
            annotations: sealed.metadata.annotations(),
            warnings: findings.warnings,
            unresolved: Metadata::of_kept(sealed.head.metadata.clone()).unresolved(),
            based_on,
            version: match origin {
                Origin::Version(id) => Some(id.clone()),
                Origin::Client | Origin::Account { .. } => None,
            },
        },
        upload: sealed,
        upstream_jwt: assets.upstream_jwt,
        services: findings.services,
    })
}

fn outdated(target: &Target) -> Problem {
    Problem::new(
        Code::DeploymentUnsettled,
        format!("Another deployment of {target} was made while this upload was read."),
        "Deploy again: it keeps static assets or bindings of the current deployment.",
    )
    .retry_after(1)
}
