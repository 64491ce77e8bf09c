//! The static assets of deployments, for an upload and for a redeploy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::upload::bundle_store_unavailable;
use super::{Gateway, stored_bundle};
use crate::assets::{
    ASSET_FORM_TYPE, AssetHash, AssetSession, ContentDigest, Location, Manifest, Redeployment, SingleFile,
    deployed_manifest, manifest_key, of_session,
};
use crate::bundles::{Digest, ObjectStore, Retrying, StoredAssets, StoredBundle};
use crate::code::Code;
use crate::deployments::DeploymentId;
use crate::ledger::{Authorized, EarlierAssets, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::Metadata;
use crate::upstream::{Bearer, Method, UpstreamBody, UpstreamRequest, call, script};

/// How many hashes one message to the ledger has.
const HASHES_PER_MESSAGE: usize = 1000;

/// The static assets of an upload.
#[derive(Default)]
pub(super) struct UploadedAssets {
    /// What the bundle says about them.
    pub reference: Option<Value>,
    /// The objects that the deployment needs for them.
    pub pins: Vec<String>,
    /// The deployment whose assets are kept.
    pub kept_from: Option<DeploymentId>,
    /// The upstream's completion token.
    pub upstream_jwt: Option<SecretString>,
}

/// The reference to a manifest, as a bundle contains it.
#[derive(Deserialize)]
struct Reference {
    sha256: Digest,
}

/// The static assets of an upload: those of a session whose token it carries, those of the deployment that serves, or none.
///
/// # Errors
/// `ASSET_SESSION_UNKNOWN` if the token was not issued by this API for this Worker; `BUNDLE_STORE_UNAVAILABLE`,
/// `RECORD_UNAVAILABLE`.
pub(super) async fn of_upload<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    authorized: &Authorized,
    target: &Target,
    metadata: &Metadata,
) -> Result<UploadedAssets, Problem> {
    let store = &Retrying::new(gateway.services, gateway.services);
    let previous = match &authorized.serving {
        Some(serving) if metadata.assets_jwt().is_some() || metadata.keeps_assets() => {
            let bundle = stored_bundle(store, serving).await;
            match (bundle, metadata.keeps_assets()) {
                (Ok(bundle), _) => manifest_of(store, &bundle).await?,
                (Err(problem), true) => return Err(problem),
                // An upload with a session does not depend on the deployment before it.
                (Err(_), false) => None,
            }
        }
        _ => None,
    };
    if let Some(jwt) = metadata.assets_jwt() {
        let session = AssetSession::verify(jwt, gateway.session_key, gateway.now())
            .and_then(|session| session.completed_for(target))
            .map_err(|invalid| session_unknown().caused_by(&invalid))?;
        let manifest = load(store, &session.manifest).await?;
        let locations = of_session(store, &session.session).await?;
        let missing = unlocated(&manifest, &locations, previous.as_ref());
        let earlier = earlier_locations(gateway, target, missing).await?;
        let deployed = deployed_manifest(manifest, locations, previous.as_ref(), |hash| {
            earlier.get(hash).cloned()
        });
        let mut uploaded = put(store, &deployed.manifest).await?;
        uploaded
            .pins
            .extend(deployed.object_keys.iter().map(ToString::to_string));
        uploaded.upstream_jwt = Some(session.upstream);
        return Ok(uploaded);
    }
    let (Some(serving), Some(manifest)) = (&authorized.serving, &previous) else {
        return Ok(UploadedAssets::default());
    };
    let mut uploaded = put(store, manifest).await?;
    uploaded
        .pins
        .extend(manifest.object_keys().iter().map(ToString::to_string));
    uploaded.kept_from = Some(serving.id.clone());
    Ok(uploaded)
}

async fn put(store: &impl ObjectStore, manifest: &Manifest) -> Result<UploadedAssets, Problem> {
    let (digest, bytes) = manifest
        .to_stored()
        .map_err(|error| bundle_store_unavailable(&error))?;
    let key = manifest_key(&digest);
    store
        .put(&key, &bytes)
        .await
        .map_err(|error| bundle_store_unavailable(&error))?;
    Ok(UploadedAssets {
        reference: Some(json!({ "manifest": key, "sha256": digest })),
        pins: vec![key],
        ..UploadedAssets::default()
    })
}

async fn load(store: &impl ObjectStore, digest: &Digest) -> Result<Manifest, Problem> {
    let bytes = store
        .get(&manifest_key(digest), None)
        .await
        .map_err(|error| bundle_store_unavailable(&error))?
        .ok_or_else(|| manifest_missing(digest))?;
    Manifest::from_stored(digest, &bytes).map_err(|error| manifest_missing(digest).caused_by(&error))
}

fn manifest_missing(digest: &Digest) -> Problem {
    Problem::new(
        Code::BundleMissing,
        format!("The manifest {digest} of the static assets is not stored, or was damaged."),
        "Deploy the version from its sources again.",
    )
}

/// The manifest of a stored bundle; `None` for a Worker without static assets.
///
/// # Errors
/// `BUNDLE_MISSING`, `BUNDLE_STORE_UNAVAILABLE`.
async fn manifest_of(store: &impl ObjectStore, bundle: &StoredBundle) -> Result<Option<Manifest>, Problem> {
    match &bundle.assets {
        None => Ok(None),
        Some(StoredAssets::Manifest(manifest)) => Manifest::try_from(manifest)
            .map(Some)
            .map_err(|error| manifest_missing(&bundle.digest).caused_by(&error)),
        Some(StoredAssets::Reference(reference)) => {
            let reference: Reference = serde_json::from_value(reference.clone())
                .map_err(|error| manifest_missing(&bundle.digest).caused_by(&error))?;
            load(store, &reference.sha256).await.map(Some)
        }
    }
}

/// The files whose content is neither in the session nor known from the deployment before it.
fn unlocated(
    manifest: &Manifest,
    locations: &BTreeMap<AssetHash, Location>,
    previous: Option<&Manifest>,
) -> BTreeSet<AssetHash> {
    let mut hashes = manifest.hashes();
    hashes.retain(|hash| {
        !locations.contains_key(hash) && previous.is_none_or(|previous| previous.location(hash).is_none())
    });
    hashes
}

/// What an earlier version of this API stored of these files.
async fn earlier_locations<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    hashes: BTreeSet<AssetHash>,
) -> Result<BTreeMap<AssetHash, Location>, Problem> {
    let hashes: Vec<String> = hashes.into_iter().map(|hash| hash.as_str().to_owned()).collect();
    let mut found = BTreeMap::new();
    for hashes in hashes.chunks(HASHES_PER_MESSAGE) {
        let question = EarlierAssets {
            target: target.clone(),
            hashes: hashes.to_vec(),
        };
        for asset in gateway.send(&question).await? {
            if let (Ok(hash), Ok(digest)) = (AssetHash::parse(&asset.hash), Digest::parse(&asset.sha256)) {
                let location = Location::Legacy {
                    sha256: ContentDigest::from(&digest),
                    content_type: asset.content_type.map(Arc::from),
                };
                found.insert(hash, location);
            }
        }
    }
    Ok(found)
}

/// The answer of the upstream to the beginning of an upload session.
#[derive(Debug, Deserialize)]
pub(crate) struct SessionAnswer {
    /// The session's token; with no buckets, the completion token.
    pub jwt: Option<String>,
    /// The hashes that the upstream lacks, in the groups in which they are to be sent.
    #[serde(default)]
    pub buckets: Vec<Vec<String>>,
}

/// Reads the answer of the upstream to the beginning of an upload session.
///
/// # Errors
/// `UPSTREAM_UNAVAILABLE` if it is not one.
pub(crate) fn read_session(result: Value) -> Result<SessionAnswer, Problem> {
    serde_json::from_value(result).map_err(|_| no_token())
}

/// The request that begins an upload session.
///
/// # Errors
/// `INTERNAL` if the manifest cannot be written.
pub(crate) fn session_request(target: &Target, manifest: &Manifest) -> Result<UpstreamRequest, Problem> {
    let body = manifest.session_body().map_err(|error| {
        Problem::new(Code::Internal, "The manifest could not be written.", "").caused_by(&error)
    })?;
    Ok(script::script(Method::Post, target, &["assets-upload-session"]).with_body("application/json", body))
}

/// The request that uploads some assets of a session.
pub(crate) fn bucket_request(upstream_jwt: SecretString, body: UpstreamBody) -> UpstreamRequest {
    let mut request = script::account(Method::Post, &["workers", "assets", "upload"])
        .parameter("base64", "true")
        .with_body(ASSET_FORM_TYPE, body);
    request.bearer = Bearer::AssetSession(upstream_jwt);
    request
}

/// The request that uploads one asset of a session as it is.
pub(crate) fn single_file_request(upstream_jwt: SecretString, file: SingleFile) -> UpstreamRequest {
    let segments = ["workers", "assets", "upload", file.file.hash.as_str()];
    let mut request = script::account(Method::Post, &segments).with_body(file.content_type, file.body);
    request.bearer = Bearer::AssetSession(upstream_jwt);
    request
}

/// Uploads the static assets of a bundle again, those that the upstream lacks. Returns the completion token, or `None` for a
/// Worker without static assets.
///
/// # Errors
/// `BUNDLE_MISSING` if the upstream lacks one that is not stored either; `BUNDLE_STORE_UNAVAILABLE`, `UPSTREAM_…`.
pub(super) async fn upload_again<O: Services>(
    services: &O,
    target: &Target,
    bundle: &StoredBundle,
) -> Result<Option<String>, Problem> {
    let store = &Retrying::new(services, services);
    let Some(manifest) = manifest_of(store, bundle).await? else {
        return Ok(None);
    };
    let reply = call(services, session_request(target, &manifest)?)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let session = read_session(reply.result)?;
    let mut token = session.jwt;
    let mut redeployment = Redeployment::new(store, &manifest);
    for bucket in session.buckets.iter().filter(|bucket| !bucket.is_empty()) {
        let jwt = token.clone().ok_or_else(no_token)?;
        let body = redeployment.body(bucket).await?;
        let reply = call(services, bucket_request(SecretString::from(jwt), body))
            .await
            .outcome
            .map_err(|failure| failure.problem)?;
        // Only the last bucket is answered with a token; the ones before it are sent with the session's.
        if let Some(jwt) = reply.result.get("jwt").and_then(Value::as_str) {
            token = Some(jwt.to_owned());
        }
    }
    token.map(Some).ok_or_else(no_token)
}

/// The token of an asset session is not one of this API, has expired, or is for another Worker.
pub(crate) fn session_unknown() -> Problem {
    Problem::new(
        Code::AssetSessionUnknown,
        "The upload session of the static assets was not opened through this API for this Worker, or has ended.",
        "Run `wrangler deploy` again from its beginning.",
    )
}

fn no_token() -> Problem {
    Problem::new(
        Code::UpstreamUnavailable,
        "The Cloudflare API answered to the static assets without a token.",
        "Try again in a moment.",
    )
}
