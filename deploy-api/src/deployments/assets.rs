use std::collections::BTreeMap;

use data_encoding::BASE64;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ship::bundle_store_unavailable;
use crate::bundles::{AssetFile, AssetManifest, Digest};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::asset_sessions::{self, AssetSession};
use crate::target::Target;
use crate::upload::asset_form;
use crate::upstream::{Bearer, Method, UpstreamRequest, call, script};

/// The content type by which wrangler says that an asset is served without one.
pub(crate) const NO_CONTENT_TYPE: &str = "application/null";

/// The manifest that an upload session begins with, and what the upstream answers to it.
#[derive(Debug, Deserialize)]
pub(crate) struct SessionAnswer {
    /// The session's token; with no buckets, the completion token.
    pub jwt: Option<String>,
    /// The hashes that the upstream lacks, in the groups in which they are to be sent.
    #[serde(default)]
    pub buckets: Vec<Vec<String>>,
}

/// One file of a manifest, as wrangler sends it.
#[derive(Debug, Deserialize)]
struct ManifestFile {
    hash: String,
    size: u64,
}

/// Reads the manifest of a session: `{"manifest": {"/path": {"hash", "size"}}}`.
pub(crate) fn read_manifest(body: &[u8]) -> Result<AssetManifest, Problem> {
    #[derive(Deserialize)]
    struct Body {
        manifest: BTreeMap<String, ManifestFile>,
    }
    let malformed = |what: &str| {
        Problem::new(
            Code::UploadMalformed,
            format!("The manifest of the static assets cannot be read: {what}."),
            "Deploy with an unchanged wrangler.",
        )
    };
    let body: Body = serde_json::from_slice(body).map_err(|_| malformed("it is not what wrangler sends"))?;
    let mut manifest = AssetManifest::default();
    for (path, ManifestFile { hash, size }) in body.manifest {
        if !is_hash(&hash) {
            return Err(malformed("a hash is not 32 hexadecimal digits"));
        }
        if !path.starts_with('/') {
            return Err(malformed("a path does not begin with a slash"));
        }
        let file = AssetFile {
            hash,
            size,
            sha256: None,
            content_type: None,
        };
        manifest.0.insert(path, file);
    }
    Ok(manifest)
}

/// Whether a text is the hash of an asset.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Writes a manifest as a session begins with it.
pub(crate) fn manifest_body(manifest: &AssetManifest) -> Vec<u8> {
    let files: serde_json::Map<_, _> = manifest
        .0
        .iter()
        .map(|(path, file)| (path.clone(), json!({ "hash": file.hash, "size": file.size })))
        .collect();
    json!({ "manifest": files }).to_string().into_bytes()
}

/// The static assets of an upload whose metadata carries a completion token, with what is stored of each.
///
/// # Errors
/// `ASSET_SESSION_UNKNOWN` when the token was not issued through here for this Worker; `BUNDLE_STORE_UNAVAILABLE`,
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn of_upload<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    target: &Target,
    jwt: &str,
) -> Result<AssetManifest, Problem> {
    let session = asset_sessions::of_token(engine.access.sql, jwt, engine.outside.now())?
        .filter(|session| session.target == *target)
        .ok_or_else(session_unknown)?;
    let mut manifest = stored_manifest(engine.outside, &session).await?;
    for file in manifest.0.values_mut() {
        if let Some(stored) = asset_sessions::find(engine.access.sql, target, &file.hash)? {
            file.sha256 = Some(stored.sha256);
            file.content_type = stored.content_type;
        }
    }
    Ok(manifest)
}

async fn stored_manifest(outside: &impl Outside, session: &AssetSession) -> Result<AssetManifest, Problem> {
    let stored = outside
        .get(&session.manifest)
        .await
        .map_err(|error| bundle_store_unavailable(&error))?
        .ok_or_else(|| bundle_store_unavailable(&"the manifest of a session is missing"))?;
    serde_json::from_slice(&stored).map_err(|error| bundle_store_unavailable(&error))
}

pub(crate) fn session_unknown() -> Problem {
    Problem::new(
        Code::AssetSessionUnknown,
        "The static assets' upload session was not begun through this API for this Worker, or has ended.",
        "Run `wrangler deploy` again from its beginning.",
    )
}

/// Uploads the static assets of a bundle again, those that the upstream lacks, and gives the completion token.
///
/// # Errors
/// `BUNDLE_MISSING` when the upstream lacks one that is not stored either; `BUNDLE_STORE_UNAVAILABLE`, `UPSTREAM_…`.
pub(crate) async fn upload_again(
    outside: &impl Outside,
    target: &Target,
    manifest: &AssetManifest,
) -> Result<String, Problem> {
    let request = script::script(Method::Post, target, &["assets-upload-session"])
        .with_body("application/json", manifest_body(manifest));
    let reply = call(outside, request)
        .await
        .outcome
        .map_err(|failure| failure.problem)?;
    let session = read_session(reply.result)?;
    let mut token = session.jwt;
    for bucket in session.buckets.iter().filter(|bucket| !bucket.is_empty()) {
        let jwt = token.clone().ok_or_else(no_token)?;
        let request = bucket_request(outside, manifest, bucket, jwt).await?;
        let reply = call(outside, request)
            .await
            .outcome
            .map_err(|failure| failure.problem)?;
        // Only the last bucket is answered with a token; the ones before it go with the session's.
        if let Some(jwt) = reply.result.get("jwt").and_then(Value::as_str) {
            token = Some(jwt.to_owned());
        }
    }
    token.ok_or_else(no_token)
}

pub(crate) fn read_session(result: Value) -> Result<SessionAnswer, Problem> {
    serde_json::from_value(result).map_err(|_| no_token())
}

async fn bucket_request(
    outside: &impl Outside,
    manifest: &AssetManifest,
    bucket: &[String],
    jwt: String,
) -> Result<UpstreamRequest, Problem> {
    let mut contents = Vec::new();
    for hash in bucket {
        let missing = || {
            Problem::new(
                Code::BundleMissing,
                format!("The static asset {hash} never passed through this API, and the upstream lacks it."),
                "Deploy the version from its sources again.",
            )
        };
        let file = manifest.file(hash).ok_or_else(missing)?;
        let digest = file.sha256.as_ref().ok_or_else(missing)?;
        let bytes = outside
            .get(digest)
            .await
            .map_err(|error| bundle_store_unavailable(&error))?
            .filter(|bytes| Digest::of(bytes) == *digest)
            .ok_or_else(missing)?;
        contents.push((
            hash,
            file.content_type.as_deref(),
            bytes::Bytes::from(BASE64.encode(&bytes)),
        ));
    }
    let assets = contents.iter().map(|(hash, content_type, content)| {
        (
            hash.as_str(),
            Some(content_type.unwrap_or(NO_CONTENT_TYPE)),
            content,
        )
    });
    let (content_type, body) = asset_form(assets);
    Ok(upload_request(jwt, content_type, body))
}

/// The upload of some assets of a session.
pub(crate) fn upload_request(jwt: String, content_type: String, body: Vec<u8>) -> UpstreamRequest {
    let mut request = script::account(Method::Post, &["workers", "assets", "upload"])
        .parameter("base64", "true")
        .with_body(content_type, body);
    request.bearer = Bearer::AssetSession(SecretString::from(jwt));
    request
}

fn no_token() -> Problem {
    Problem::new(
        Code::UpstreamUnavailable,
        "The Cloudflare API answered to the static assets without a token.",
        "Try again in a moment.",
    )
}
