//! Static assets: the files of a session. The request has the session's token, which is verified without a look-up.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Envelope;
use super::asset_session::token;
use super::query::Parameters;
use super::response::Reply;
use crate::assets::{AssetSession, TokenKind, read_bucket};
use crate::bundles::Retrying;
use crate::code::Code;
use crate::deploys::{Gateway, bucket_request, session_unknown};
use crate::http::Request;
use crate::ledger::LedgerClient;
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::{Renewing, Source};
use crate::upstream::{UpstreamRequest, call};

/// Streams some files of a session into the bundle store, for later redeploys, and from there to the
/// upstream. No file is held in memory.
pub(super) async fn upload<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let session = open_session(gateway, request.header("authorization"))?;
    let query = Parameters::parse(request.query)?.only(&["base64"])?;
    if !query
        .iter()
        .any(|(name, value)| *name == "base64" && value == "true")
    {
        return Err(Problem::new(
            Code::UploadMalformed,
            "The static assets cannot be read: they are not in base64 (`?base64=true`).",
            "Deploy with an unchanged wrangler.",
        ));
    }
    let permit = gateway.admit(request.content_length()).await?;
    let store = Retrying::new(gateway.services, gateway.services);
    let content_type = request.header("content-type");
    let id = gateway.services.entropy();
    let body = Renewing::new(request.body, &permit, gateway.services);
    let bucket = read_bucket(&store, &session.session, id, content_type, body).await?;
    let request = bucket_request(session.upstream.clone(), bucket.body);
    forward(gateway, session, request).await
}

/// The open session of a bearer.
///
/// # Errors
/// `ASSET_SESSION_UNKNOWN` if the bearer is not the first token of a session of this API, or has expired.
pub(super) fn open_session<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    authorization: Option<&str>,
) -> Result<AssetSession, Problem> {
    let shown = bearer(authorization).ok_or_else(session_unknown)?;
    AssetSession::verify(shown.expose_secret(), gateway.session_key, gateway.now())
        .and_then(|session| session.of_kind(TokenKind::Session))
        .map_err(|invalid| session_unknown().caused_by(&invalid))
}

/// Sends files of a session to the upstream. The answer to the last ones has the session's completion token.
///
/// # Errors
/// `UPSTREAM_…`.
pub(super) async fn forward<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    session: AssetSession,
    request: UpstreamRequest,
) -> Result<Reply, Problem> {
    let reply = call(gateway.services, request)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let Some(completion) = reply.result.get("jwt").and_then(Value::as_str) else {
        return Ok(Reply::Success(Envelope::of(json!({ "jwt": null }))));
    };
    let completed = AssetSession {
        kind: TokenKind::Completion,
        upstream: completion.to_owned().into(),
        ..session
    };
    let jwt = token(gateway, &completed)?;
    Ok(Reply::Created(Envelope::of(json!({ "jwt": jwt }))))
}

/// The bearer of a request.
fn bearer(authorization: Option<&str>) -> Option<SecretString> {
    let (scheme, bearer) = authorization?.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| SecretString::from(bearer.trim()))
}
