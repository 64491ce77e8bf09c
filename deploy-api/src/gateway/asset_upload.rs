//! Static assets: a session for a Worker, then the files in it, which carry the session's token instead of ours.

use data_encoding::BASE64;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Envelope;
use super::message::{Body, Request, read_body};
use super::query::Parameters;
use super::serve::{Reply, bearer};
use crate::audit::Verb;
use crate::bundles::Digest;
use crate::code::Code;
use crate::deployments::{
    NO_CONTENT_TYPE, bundle_store_unavailable, is_hash, manifest_body, read_manifest, read_session,
    session_unknown, upload_request,
};
use crate::engine::{Engine, Outside};
use crate::identity::Caller;
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::asset_sessions::{self, AssetSession, StoredAsset};
use crate::target::Target;
use crate::upload::{asset_form, fields};
use crate::upstream::{Method, call, script};

/// How long the tokens of a session are taken, as the upstream has it.
/// <https://developers.cloudflare.com/workers/static-assets/direct-upload/>
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The longest manifest, in bytes: 20,000 files with long paths.
const MAX_MANIFEST: usize = 8 * 1024 * 1024;

/// The longest upload of assets, in bytes: a file of 25 MiB, the largest there is, in base64.
const MAX_BUCKET: usize = 40 * 1024 * 1024;

/// Begins a session.
pub(super) async fn begin<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    caller: &Caller,
    target: &Target,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let deploy = policy::Request::worker(Action::Deploy, target.clone());
    engine.access.authorize(caller, &deploy, Verb::Deploy)?;
    let manifest = read_manifest(&read_body(request.body, MAX_MANIFEST).await?)?;
    let stored = serde_json::to_vec(&manifest).map_err(|error| bundle_store_unavailable(&error))?;
    let digest = Digest::of(&stored);
    engine
        .outside
        .put(&digest, &stored)
        .await
        .map_err(|error| bundle_store_unavailable(&error))?;
    let request = script::script(Method::Post, target, &["assets-upload-session"])
        .with_body("application/json", manifest_body(&manifest));
    let reply = call(engine.outside, request)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let answer = read_session(reply.result)?;
    let now = engine.outside.now();
    let session = AssetSession {
        target: target.clone(),
        manifest: digest,
        expires: now.saturating_add(SESSION_LIFETIME).unwrap_or(now),
    };
    asset_sessions::forget(engine.access.sql, now)?;
    if let Some(jwt) = &answer.jwt {
        asset_sessions::issued(engine.access.sql, jwt, &session)?;
    }
    Ok(Reply::Success(Envelope::of(
        json!({ "jwt": answer.jwt, "buckets": answer.buckets }),
    )))
}

/// Takes some files of a session: keeps them, for when the deployment is shipped again, and passes them on.
pub(super) async fn upload<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    engine.access.refuse_if_locked_out()?;
    let jwt = bearer(request.header("authorization")).ok_or_else(session_unknown)?;
    let now = engine.outside.now();
    let session = asset_sessions::of_token(engine.access.sql, jwt.expose_secret(), now)?;
    let Some(session) = session else {
        engine.access.count_failure(true)?;
        return Err(session_unknown());
    };
    let query = Parameters::parse(request.query)?.only(&["base64"])?;
    if !query
        .iter()
        .any(|(name, value)| *name == "base64" && value == "true")
    {
        return Err(malformed("it is not in base64 (`?base64=true`)"));
    }
    let content_type = request.header("content-type").map(str::to_owned);
    let body = read_body(request.body, MAX_BUCKET).await?;
    let mut files = Vec::new();
    for field in fields(content_type.as_deref(), body).await? {
        if !is_hash(&field.name) {
            return Err(malformed("a file's name is no hash"));
        }
        let content = BASE64
            .decode(&field.bytes)
            .map_err(|_| malformed("a file is not in base64"))?;
        keep(
            engine,
            &session,
            &field.name,
            field.content_type.as_deref(),
            &content,
        )
        .await?;
        files.push((field.name, field.content_type, field.bytes));
    }
    let assets = files
        .iter()
        .map(|(hash, content_type, content)| (hash.as_str(), content_type.as_deref(), content));
    let (content_type, body) = asset_form(assets);
    let request = upload_request(jwt.expose_secret().to_owned(), content_type, body);
    let reply = call(engine.outside, request)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let completion = reply.result.get("jwt").and_then(Value::as_str);
    if let Some(completion) = completion {
        asset_sessions::issued(engine.access.sql, completion, &session)?;
        return Ok(Reply::Created(Envelope::of(json!({ "jwt": completion }))));
    }
    Ok(Reply::Success(Envelope::of(json!({ "jwt": Value::Null }))))
}

async fn keep<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    session: &AssetSession,
    hash: &str,
    content_type: Option<&str>,
    content: &[u8],
) -> Result<(), Problem> {
    let sha256 = Digest::of(content);
    engine
        .outside
        .put(&sha256, content)
        .await
        .map_err(|error| bundle_store_unavailable(&error))?;
    let content_type = content_type
        .filter(|content_type| *content_type != NO_CONTENT_TYPE)
        .map(str::to_owned);
    let asset = StoredAsset { sha256, content_type };
    asset_sessions::keep(engine.access.sql, &session.target, hash, &asset).map_err(Problem::from)
}

fn malformed(what: &str) -> Problem {
    Problem::new(
        Code::UploadMalformed,
        format!("The static assets cannot be read: {what}."),
        "Deploy with an unchanged wrangler.",
    )
}
