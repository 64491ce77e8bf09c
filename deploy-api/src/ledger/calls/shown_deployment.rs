//! A deployment in a response.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::audit::{self, Annotations, Bundle};
use crate::deployments::{
    Deployment, DeploymentHealth, DeploymentId, Failure, ImportedFrom, Preview, State, Warning, WorkerUrls,
};
use crate::identity::Identity;
use crate::problem::Problem;
use crate::schema::{self, NamespaceName, Time, Uri};
use crate::upload::Unresolved;

/// A deployment in a response.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema)]
#[schemars(rename = "Deployment")]
pub struct Shown<'a> {
    /// Its id.
    pub id: Cow<'a, DeploymentId>,
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    pub namespace: Cow<'static, str>,
    /// The Worker.
    #[schemars(with = "schema::WorkerName")]
    pub worker: Cow<'a, str>,
    /// The addresses of the Worker by the built-in rules of the dispatch Worker.
    #[schemars(with = "Vec<Uri>")]
    pub urls: Vec<String>,
    /// `deploy`, `import`, `rollback`, `promote`, `preview` or `adopt`.
    #[serde(rename = "verb")]
    pub action: audit::Action,
    /// How it ended.
    pub state: State,
    /// Whether this is the current deployment according to the records of this API, and the Worker was not changed outside of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serving: Option<bool>,
    /// The size of the modules of the upload, in bytes.
    pub size: u64,
    /// Whether a rollback restores all that it ran with, except for secrets.
    pub redeployable: Redeployable<'a>,
    /// The content of the upload, as digests; null for an adopted change, which cannot be redeployed.
    pub bundle: Option<Cow<'a, Bundle>>,
    /// What the developer wrote about the upload.
    pub annotations: Cow<'a, Annotations>,
    /// Who deployed it, and from which commit and run.
    pub identity: Cow<'a, Identity>,
    /// The id of the token of the request; null for the bootstrap secret.
    pub token: Option<Cow<'a, str>>,
    /// The account Worker of an import; omitted for other deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Cow<'a, ImportedFrom>>,
    /// The deployment whose bundle was redeployed; null for an upload.
    pub source: Option<Cow<'a, DeploymentId>>,
    /// The previous deployment; null for the first.
    pub previous: Option<Cow<'a, DeploymentId>>,
    /// The sequence number of its intent in the audit log.
    pub intent: u64,
    /// When it began.
    #[schemars(with = "Time")]
    pub created: Timestamp,
    /// When it ended; null while it is pending.
    #[schemars(with = "Option<Time>")]
    pub finished: Option<Timestamp>,
    /// The time from `created` to `finished` in milliseconds.
    pub milliseconds: Option<u64>,
    /// The upstream's digest of the script.
    pub etag: Option<Cow<'a, str>>,
    /// How long the script took to start, in milliseconds, as the upstream measured it.
    pub startup_time_ms: Option<u64>,
    /// The tag of the last Durable Object migration that the Worker has with it.
    pub migration_tag: Option<Cow<'a, str>>,
    /// The tags that the Worker has with it.
    pub tags: Cow<'a, [String]>,
    /// Why it failed, or was rolled back.
    pub failure: Option<Cow<'a, Failure>>,
    /// The warnings about the upload.
    pub warnings: Cow<'a, [Warning]>,
    /// The result of its health check.
    pub health: DeploymentHealth,
    /// What it previews, and when it is deleted; omitted unless it made a preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// Whether a rollback restores all that a deployment ran with, except for secrets.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema)]
pub struct Redeployable<'a> {
    /// Null if that was not recorded: the rollback itself finds out.
    pub exact: Option<bool>,
    /// The bindings that came from the version before, and whose values are not known.
    pub unresolved: Cow<'a, [Unresolved]>,
}

fn redeployable(deployment: &Deployment) -> Redeployable<'_> {
    Redeployable {
        exact: deployment.unresolved.as_ref().map(Vec::is_empty),
        unresolved: Cow::Borrowed(deployment.unresolved.as_deref().unwrap_or_default()),
    }
}

/// A deployment as responses contain it. `serving` is the current deployment of its Worker, if the response says whether it serves.
pub(crate) fn show<'a>(
    deployment: &'a Deployment,
    serving: Option<&Option<DeploymentId>>,
    urls: &WorkerUrls,
) -> Shown<'a> {
    let serving = serving.map(|serving| serving.as_ref() == Some(&deployment.id));
    Shown {
        id: Cow::Borrowed(&deployment.id),
        namespace: Cow::Borrowed(deployment.target.namespace()),
        worker: Cow::Borrowed(deployment.target.worker.as_str()),
        urls: urls.of(&deployment.target),
        action: deployment.action,
        state: deployment.state,
        serving,
        size: deployment.bundle.modules.iter().map(|module| module.size).sum(),
        redeployable: redeployable(deployment),
        bundle: (deployment.action != audit::Action::Adopt).then_some(Cow::Borrowed(&deployment.bundle)),
        annotations: Cow::Borrowed(&deployment.annotations),
        identity: Cow::Borrowed(&deployment.identity),
        token: deployment.token.as_deref().map(Cow::Borrowed),
        imported: deployment.imported.as_ref().map(Cow::Borrowed),
        source: deployment.source.as_ref().map(Cow::Borrowed),
        previous: deployment.previous.as_ref().map(Cow::Borrowed),
        intent: deployment.intent,
        created: deployment.created,
        finished: deployment.finished,
        milliseconds: deployment
            .finished
            .and_then(|finished| u64::try_from(finished.duration_since(deployment.created).as_millis()).ok()),
        etag: deployment.etag.as_deref().map(Cow::Borrowed),
        startup_time_ms: deployment.startup_time_ms,
        migration_tag: deployment.migration_tag.as_deref().map(Cow::Borrowed),
        tags: Cow::Borrowed(&deployment.tags),
        failure: deployment.failure.as_ref().map(Cow::Borrowed),
        warnings: Cow::Borrowed(&deployment.warnings),
        health: deployment.health.shown(serving == Some(true)),
        preview: Preview::of(deployment),
    }
}

/// A new deployment in a response, with the difference to the one before if it was promoted.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema)]
#[schemars(rename = "PromotedDeployment")]
pub struct Deployed<'a, D: Clone> {
    /// The deployment.
    #[serde(flatten)]
    pub deployment: Shown<'a>,
    /// The difference to what the target served before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Cow<'a, D>>,
}

/// The answer to a call that deployed something: `201`, the deployment, and the `difference` of a promotion.
pub(crate) fn deployed(
    deployment: &Deployment,
    urls: &WorkerUrls,
    difference: Option<&(impl Serialize + Clone)>,
) -> Result<Answer, Problem> {
    let deployment = show(deployment, None, urls);
    Answer::json(
        201,
        &Deployed {
            deployment,
            difference: difference.map(Cow::Borrowed),
        },
    )
}
