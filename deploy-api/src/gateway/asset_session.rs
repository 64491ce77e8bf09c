//! Static assets: the session that begins their upload, which says what the Worker is to have and what is missing.

use jiff::SignedDuration;
use serde_json::json;

use super::Envelope;
use super::message::{Body, Request, read_body};
use super::serve::Reply;
use crate::audit::{SubjectRecord, Verb};
use crate::bundles::{AssetManifest, Digest};
use crate::deployments::{AssetCall, bundle_store_unavailable, manifest_body, read_manifest, read_session};
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::asset_sessions::{self, AssetSession};
use crate::target::Target;
use crate::upstream::{Method, script};

/// How long the tokens of a session are taken, as the upstream has it.
/// <https://developers.cloudflare.com/workers/static-assets/direct-upload/>
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The longest manifest, in bytes: 20,000 files with long paths.
const MAX_MANIFEST: usize = 8 * 1024 * 1024;

/// Begins a session.
pub(super) async fn begin<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let deploy = policy::Request::worker(Action::Deploy, target.clone());
    let allowed = engine.access.authorize(caller, &deploy, Verb::AssetSession)?;
    let assets = AssetCall {
        caller,
        allowed: &allowed,
        target,
        verb: Verb::AssetSession,
    };
    let manifest = read_body(request.body, MAX_MANIFEST)
        .await
        .and_then(|body| read_manifest(&body))
        .map_err(|problem| assets.refuse(engine, problem))?;
    let stored = serde_json::to_vec(&manifest).map_err(|error| bundle_store_unavailable(&error))?;
    let digest = Digest::of(&stored);
    let keep = async {
        let kept = engine.outside.put(&digest, &stored).await;
        kept.map_err(|error| bundle_store_unavailable(&error))
    };
    let request = script::script(Method::Post, target, &["assets-upload-session"])
        .with_body("application/json", manifest_body(&manifest));
    let answer = assets
        .make(
            engine,
            subject(&manifest, &digest),
            keep,
            request,
            |result, intent| {
                let answer = read_session(result)?;
                let now = engine.outside.now();
                asset_sessions::forget(engine.access.sql, now)?;
                if let Some(jwt) = &answer.jwt {
                    let session = AssetSession {
                        target: target.clone(),
                        manifest: digest.clone(),
                        expires: now.saturating_add(SESSION_LIFETIME).unwrap_or(now),
                        intent,
                    };
                    asset_sessions::issued(engine.access.sql, jwt, &session)?;
                }
                Ok(answer)
            },
        )
        .await?;
    Ok(Reply::Success(Envelope::of(
        json!({ "jwt": answer.jwt, "buckets": answer.buckets }),
    )))
}

fn subject(manifest: &AssetManifest, digest: &Digest) -> SubjectRecord {
    SubjectRecord::Assets {
        files: u64::try_from(manifest.0.len()).unwrap_or(u64::MAX),
        bytes: manifest
            .0
            .values()
            .fold(0, |sum, file| file.size.saturating_add(sum)),
        manifest: digest.to_string(),
    }
}
