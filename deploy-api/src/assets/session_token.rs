//! The token of an upload session: a JWT (HS256) that the gateway signs, so that it verifies the next requests of the session
//! without asking the ledger.
//!
//! wrangler reads claims of the token that the Cloudflare API issues (`exp`, `wrangler_single_asset_uploads`,
//! `edge_kv_upload_concurrency`), so the token contains the claims of the original one. Everything of the deploy API is in
//! the claim `dotdo`.
//!
//! This module builds the JWT from `hmac`, `sha2` and `data-encoding`, which the deploy API has anyway. The JWT crates that run
//! in Wasm without `ring` bring RSA and elliptic curves, or older copies of these crates, and none of them refuses every
//! header but one, which takes one comparison here.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::Sha256;
use thiserror::Error;

use super::SessionId;
use crate::bundles::Digest;
use crate::target::Target;

/// The longest token, in bytes.
pub const MAX_SESSION_TOKEN: usize = 16 * 1024;

/// The lifetime of a token if the original one has no `exp`.
const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The longest lifetime of a token. Objects that no deployment uses are deleted after 24 hours, so a session must end before.
const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// `{"alg":"HS256","typ":"JWT"}` in base64url. A token with any other header is refused.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The claim of the deploy API.
const CLAIM: &str = "dotdo";

/// The claim by which the Cloudflare API tells wrangler to upload each file on its own.
const SINGLE_FILES: &str = "wrangler_single_asset_uploads";

/// The key that signs session tokens. `Debug` is redacted.
#[derive(Debug)]
pub struct SessionKey(SecretBox<[u8; 32]>);

impl SessionKey {
    /// A key that has no other use (see [`UploadKey::asset_session_key`](crate::upload::UploadKey::asset_session_key)).
    #[must_use]
    pub const fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        // HMAC pads a key with zeros to the length of a block (RFC 2104, section 2).
        let mut block = [0; 64];
        for (byte, given) in block.iter_mut().zip(self.0.expose_secret()) {
            *byte = *given;
        }
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(signed.as_bytes());
        mac
    }
}

/// Which token of a session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The first one, with which files are uploaded.
    Session,
    /// The last one, with which the Worker is deployed. If there are no files to upload, it is issued at once.
    Completion,
}

/// An upload session of static assets, as its token describes it.
#[derive(Clone)]
pub struct AssetSession {
    /// The Worker for which the session was opened.
    pub target: Target,
    /// The id of the session, which is part of the keys of its objects.
    pub session: SessionId,
    /// The digest of the session's manifest.
    pub manifest: Digest,
    /// The id of the attempt (or of the audit log's intent) that opened the session.
    pub attempt: String,
    /// The caller who opened the session, for the audit log: the token's id and the identity.
    pub caller: Value,
    /// Which token it is.
    pub kind: TokenKind,
    /// The token that the Cloudflare API issued.
    pub upstream: SecretString,
}

/// `upstream` is a credential and is left out.
impl fmt::Debug for AssetSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssetSession")
            .field("target", &self.target)
            .field("session", &self.session)
            .field("manifest", &self.manifest)
            .field("attempt", &self.attempt)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A session whose token was verified.
#[derive(Clone, Debug)]
pub struct VerifiedSession {
    /// The session.
    pub session: AssetSession,
    /// When the token expires.
    pub expires: Timestamp,
}

/// The claim [`CLAIM`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim<Text> {
    target: Target,
    session: SessionId,
    manifest: Digest,
    attempt: String,
    caller: Value,
    kind: TokenKind,
    upstream: Text,
}

/// The claims of a token that this module reads.
#[derive(Deserialize)]
struct Claims {
    exp: i64,
    dotdo: Claim<SecretString>,
}

/// A session cannot be written as a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the token of the upload session would have more than {MAX_SESSION_TOKEN} bytes")]
pub struct SessionTokenTooLong;

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidSessionToken {
    /// It has more than [`MAX_SESSION_TOKEN`] bytes.
    #[error("the session token is too long")]
    TooLong,
    /// It is not three parts in base64url without padding.
    #[error("the session token is not a JWT")]
    Malformed,
    /// Its header is not the one that this API writes.
    #[error("the session token has an unknown header")]
    Header,
    /// It was not signed with this key.
    #[error("the session token has a wrong signature")]
    Signature,
    /// The signature is right, and the claims are not those that this API writes.
    #[error("the session token has unknown claims")]
    Claims,
    /// It has expired.
    #[error("the session token has expired")]
    Expired,
    /// It was issued for another Worker.
    #[error("the session token was issued for another Worker")]
    Target,
    /// It is the session's first token where the last one is needed, or the reverse.
    #[error("the session token is not of the kind that this request needs")]
    Kind,
}

impl AssetSession {
    /// The token of the session. It expires with the original one: at its claim `exp`, or an hour from `now` if there is none,
    /// and at most 12 hours from `now`.
    ///
    /// # Errors
    /// If the token would be longer than [`MAX_SESSION_TOKEN`].
    pub fn to_token(&self, key: &SessionKey, now: Timestamp) -> Result<SecretString, SessionTokenTooLong> {
        let claims = original_claims(self.upstream.expose_secret()).unwrap_or_default();
        self.sign(claims, key, now)
    }

    /// The same as [`to_token`](Self::to_token), without the claim by which wrangler uploads each file on its own: it uploads
    /// buckets then.
    ///
    /// # Errors
    /// If the token would be longer than [`MAX_SESSION_TOKEN`].
    pub fn to_bucket_token(
        &self,
        key: &SessionKey,
        now: Timestamp,
    ) -> Result<SecretString, SessionTokenTooLong> {
        let mut claims = original_claims(self.upstream.expose_secret()).unwrap_or_default();
        claims.remove(SINGLE_FILES);
        self.sign(claims, key, now)
    }

    /// The token with these claims of the original one.
    fn sign(
        &self,
        mut claims: Map<String, Value>,
        key: &SessionKey,
        now: Timestamp,
    ) -> Result<SecretString, SessionTokenTooLong> {
        let latest = |lifetime| now.saturating_add(lifetime).unwrap_or(now).as_second();
        let expires = claims
            .get("exp")
            .and_then(whole_seconds)
            .unwrap_or_else(|| latest(DEFAULT_LIFETIME))
            .min(latest(MAX_LIFETIME));
        let claim = Claim {
            target: self.target.clone(),
            session: self.session.clone(),
            manifest: self.manifest.clone(),
            attempt: self.attempt.clone(),
            caller: self.caller.clone(),
            kind: self.kind,
            upstream: self.upstream.expose_secret(),
        };
        claims.insert("exp".to_owned(), Value::from(expires));
        // Every field is text or JSON, so this never fails.
        let claim = serde_json::to_value(claim).map_err(|_| SessionTokenTooLong)?;
        claims.insert(CLAIM.to_owned(), claim);
        let claims = Value::Object(claims).to_string();
        let mut token = format!("{HEADER}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
        let signature = key.mac(&token).finalize().into_bytes();
        token.push('.');
        token.push_str(&BASE64URL_NOPAD.encode(&signature));
        if token.len() > MAX_SESSION_TOKEN {
            return Err(SessionTokenTooLong);
        }
        Ok(SecretString::from(token))
    }

    /// Verifies a token and reads its session.
    ///
    /// # Errors
    /// If the token was not signed with this key, or has expired.
    pub fn verify(
        token: &str,
        key: &SessionKey,
        now: Timestamp,
    ) -> Result<VerifiedSession, InvalidSessionToken> {
        if token.len() > MAX_SESSION_TOKEN {
            return Err(InvalidSessionToken::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidSessionToken::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(InvalidSessionToken::Malformed)?;
        let signature = decoded(signature)?;
        let payload = decoded(payload)?;
        if header != HEADER {
            return Err(InvalidSessionToken::Header);
        }
        key.mac(signed)
            .verify_slice(&signature)
            .map_err(|_| InvalidSessionToken::Signature)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| InvalidSessionToken::Claims)?;
        let expires = Timestamp::from_second(claims.exp).map_err(|_| InvalidSessionToken::Claims)?;
        if now >= expires {
            return Err(InvalidSessionToken::Expired);
        }
        let Claim {
            target,
            session,
            manifest,
            attempt,
            caller,
            kind,
            upstream,
        } = claims.dotdo;
        Ok(VerifiedSession {
            session: Self {
                target,
                session,
                manifest,
                attempt,
                caller,
                kind,
                upstream,
            },
            expires,
        })
    }
}

impl VerifiedSession {
    /// The session, if its token is of this kind.
    ///
    /// # Errors
    /// [`InvalidSessionToken::Kind`].
    pub fn of_kind(self, kind: TokenKind) -> Result<AssetSession, InvalidSessionToken> {
        if self.session.kind == kind {
            Ok(self.session)
        } else {
            Err(InvalidSessionToken::Kind)
        }
    }

    /// The session, if its token is the last one of a session of this Worker.
    ///
    /// # Errors
    /// [`InvalidSessionToken::Target`], [`InvalidSessionToken::Kind`].
    pub fn completed_for(self, target: &Target) -> Result<AssetSession, InvalidSessionToken> {
        if self.session.target == *target {
            self.of_kind(TokenKind::Completion)
        } else {
            Err(InvalidSessionToken::Target)
        }
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, InvalidSessionToken> {
    BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| InvalidSessionToken::Malformed)
}

/// The claims of a token that somebody else signed; `None` if it is not a JWT.
fn original_claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()
}

/// A number of seconds, rounded down.
fn whole_seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast to an integer saturates, and the result is capped"
        )]
        value.as_f64().map(|seconds| seconds.floor() as i64)
    })
}
