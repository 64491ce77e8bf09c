//! Static assets: opens an upload session, which returns the files that the upstream does not have.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::Envelope;
use super::response::Reply;
use crate::assets::{
    AssetSession, MAX_MANIFEST, MAX_SINGLE_FILES, Manifest, SessionId, SessionTokenTooLong, TokenKind,
    manifest_key, read_manifest,
};
use crate::audit::{self, SubjectRecord};
use crate::bundles::{Digest, ObjectStore, Retrying};
use crate::code::Code;
use crate::deploys::{Gateway, Lease, read_session, session_request};
use crate::http::{Request, read_body};
use crate::identity::ShownCredential;
use crate::ledger::{Change, End, LedgerClient, ScriptState};
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Permit, Renewing, Source, SourceFailure};
use crate::upstream::{Called, call};

/// Begins a session.
pub(super) async fn begin<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let deploy = policy::Request::worker(Action::Deploy, target.clone());
    let action = audit::Action::AssetSession;
    let authorized = gateway
        .authorize_for(credential, vec![deploy], action, target)
        .await?;
    let permit = gateway.admit_whole(request.content_length()).await?;
    let (manifest, digest) = match read(gateway, &permit, request).await {
        Ok(read) => read,
        Err(problem) => return Err(gateway.refuse(&authorized, target, action, problem, None).await),
    };
    let change = Change::AssetSession {
        assets: subject(&manifest, &digest),
    };
    let lease = Lease::begin(gateway, credential, target, change).await?;
    let request = match session_request(target, &manifest) {
        Ok(request) => request,
        Err(problem) => return Err(lease.fail(problem).await),
    };
    let Called { record, outcome } = call(gateway.services, request).await;
    let answer = outcome
        .map_err(|failure| failure.problem)
        .and_then(|reply| read_session(reply.result));
    let answer = match answer {
        Ok(answer) => answer,
        Err(problem) => {
            let end = End::Failed {
                upstream: Some(record),
                problem: Box::new(problem.clone()),
            };
            lease.finish(end).await?;
            return Err(problem);
        }
    };
    let end = End::Succeeded {
        upstream: Some(record),
        script: Box::new(ScriptState::default()),
    };
    lease.finish(end).await?;
    let jwt = match answer.jwt {
        Some(upstream) => {
            let session = AssetSession {
                target: target.clone(),
                session: SessionId::from_bytes(gateway.services.entropy()),
                manifest: digest,
                attempt: gateway.attempt.to_string(),
                caller: json!({ "token": authorized.caller.token, "name": authorized.caller.identity.to_string() }),
                kind: if answer.buckets.is_empty() {
                    TokenKind::Completion
                } else {
                    TokenKind::Session
                },
                upstream: SecretString::from(upstream),
            };
            if answer.buckets.iter().map(Vec::len).sum::<usize>() > MAX_SINGLE_FILES {
                Some(written(
                    session.to_bucket_token(gateway.session_key, gateway.now()),
                )?)
            } else {
                Some(token(gateway, &session)?)
            }
        }
        None => None,
    };
    Ok(Reply::Success(Envelope::of(
        json!({ "jwt": jwt, "buckets": answer.buckets }),
    )))
}

/// Reads the manifest and stores it.
async fn read<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    permit: &Permit,
    request: Request<'_, B>,
) -> Result<(Manifest, Digest), Problem> {
    let announced = request.content_length();
    let body = Renewing::new(request.body, permit, gateway.services);
    let body = read_body(body, announced, MAX_MANIFEST)
        .await
        .map_err(SourceFailure::problem)?;
    let manifest = read_manifest(&body)?;
    drop(body);
    let unavailable = |error: &dyn ToString| {
        Problem::new(
            Code::BundleStoreUnavailable,
            "The manifest of the static assets could not be stored.",
            "Try again in a moment.",
        )
        .caused_by(&error.to_string())
        .retry_after(5)
    };
    let (digest, bytes) = manifest.to_stored().map_err(|error| unavailable(&error))?;
    Retrying::new(gateway.services, gateway.services)
        .put(&manifest_key(&digest), &bytes)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok((manifest, digest))
}

/// The token of a session for the client.
pub(super) fn token<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    session: &AssetSession,
) -> Result<String, Problem> {
    written(session.to_token(gateway.session_key, gateway.now()))
}

fn written(token: Result<SecretString, SessionTokenTooLong>) -> Result<String, Problem> {
    token
        .map(|token| token.expose_secret().to_owned())
        .map_err(|error| {
            Problem::new(
                Code::UpstreamUnavailable,
                "The Cloudflare API's session token is too long.",
                "",
            )
            .caused_by(&error)
        })
}

fn subject(manifest: &Manifest, digest: &Digest) -> SubjectRecord {
    SubjectRecord::Assets {
        files: u64::try_from(manifest.files().len()).unwrap_or(u64::MAX),
        bytes: manifest.total_size(),
        manifest: digest.to_string(),
    }
}
