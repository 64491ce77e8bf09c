use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::VerifyingKey;
use crate::identity::ci_jobs::BuildkiteClaims;
use crate::identity::{GitHubRun, GitLabJob, Identity, OidcRejection, Provider};

/// The maximum length of an OIDC token, in bytes. A token of GitHub has about 2,000 bytes.
pub const MAX_OIDC_TOKEN: usize = 8 * 1024;

/// The maximum length of a key id, in bytes.
const MAX_KEY_ID: usize = 256;

/// A parsed JSON Web Token (compact serialization, RFC 7515, section 7.1) whose signature is not verified yet.
pub struct Presented {
    signed: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
    key_id: String,
    issuer: String,
}

/// The relevant members of the header. Members that contain or refer to a key (`jku`, `jwk`, `x5u`, `x5c`) are ignored.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Issued {
    iss: String,
}

impl Presented {
    /// Parses a token.
    ///
    /// # Errors
    /// If the token is too long or malformed, its algorithm is not RS256, or it has no key id.
    pub fn parse(text: &str) -> Result<Self, OidcRejection> {
        if text.len() > MAX_OIDC_TOKEN {
            return Err(OidcRejection::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(OidcRejection::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(OidcRejection::Malformed)?;
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| OidcRejection::Malformed)?;
        if header.alg != "RS256" {
            return Err(OidcRejection::Algorithm);
        }
        if header.crit.is_some() {
            return Err(OidcRejection::CriticalHeader);
        }
        if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(OidcRejection::Malformed);
        }
        let key_id = header
            .kid
            .filter(|kid| !kid.is_empty() && kid.len() <= MAX_KEY_ID)
            .ok_or(OidcRejection::NoKeyId)?;
        let payload = decode(payload)?;
        let issued: Issued = serde_json::from_slice(&payload).map_err(|_| OidcRejection::Malformed)?;
        Ok(Self {
            signed: signed.to_owned(),
            payload,
            signature: decode(signature)?,
            key_id,
            issuer: issued.iss,
        })
    }

    /// The id of the key with which the token claims to be signed.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The issuer that the token claims.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn signed(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// Redacts the token, because it is a credential until it expires.
impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented([REDACTED])")
    }
}

/// Decodes base64url without padding. Only the canonical encoding is accepted.
fn decode(part: &str) -> Result<Vec<u8>, OidcRejection> {
    BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| OidcRejection::Malformed)
}

/// The permitted difference between the clock of the issuer and the clock of this API.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// The maximum validity of a token. It limits how long a `jti` is stored. Tokens of GitHub are valid for five minutes.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The maximum length of a `jti`, in bytes.
const MAX_TOKEN_ID: usize = 256;

/// The content of a verified token. The caller must check separately that the token was not used before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenJob {
    /// The job.
    pub identity: Identity,
    /// The issuer of the token (the claim `iss`).
    pub issuer: String,
    /// The id of the token (the claim `jti`), unique per issuer.
    pub token_id: String,
    /// When the token expires.
    pub expires: Timestamp,
}

/// The claims that describe the token instead of the job.
#[derive(Deserialize)]
struct TokenClaims {
    aud: Audience,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    jti: String,
}

/// The claim `aud` (RFC 7519, section 4.1.3): a string or a list of strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether this is the only audience of the token.
    fn is_only(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.as_slice() == [audience],
        }
    }
}

/// Verifies a token with the key of its issuer. Checks the signature, then the audience and the times, then that the claims
/// are those of a job of the issuer's service.
///
/// # Errors
/// Returns the first check that failed.
pub fn verify(
    token: &Presented,
    key: &VerifyingKey,
    provider: Provider,
    audience: &str,
    now: Timestamp,
) -> Result<ProvenJob, OidcRejection> {
    if !key.signed(token.signed(), token.signature()) {
        return Err(OidcRejection::Signature);
    }
    let claims: TokenClaims = read(token.payload())?;
    if !claims.aud.is_only(audience) {
        return Err(OidcRejection::Audience);
    }
    let time = |second| Timestamp::from_second(second).map_err(|_| OidcRejection::Claims);
    let (expires, issued) = (time(claims.exp)?, time(claims.iat)?);
    let begins = claims.nbf.map(time).transpose()?.unwrap_or(issued).max(issued);
    if now.duration_since(expires) >= LEEWAY {
        return Err(OidcRejection::Expired);
    }
    if begins.duration_since(now) > LEEWAY {
        return Err(OidcRejection::NotYetValid);
    }
    if expires.duration_since(issued) > MAX_LIFETIME {
        return Err(OidcRejection::Lifetime);
    }
    if claims.jti.is_empty() || claims.jti.len() > MAX_TOKEN_ID {
        return Err(OidcRejection::Claims);
    }
    Ok(ProvenJob {
        identity: identity(token.payload(), provider)?,
        issuer: token.issuer().to_owned(),
        token_id: claims.jti,
        expires,
    })
}

/// Reads the claims of a job.
fn identity(payload: &[u8], provider: Provider) -> Result<Identity, OidcRejection> {
    match provider {
        Provider::GitHub => {
            let run: GitHubRun = read(payload)?;
            are_numbers([&run.repository_id, &run.repository_owner_id, &run.actor_id])?;
            Ok(Identity::GithubRun(Box::new(run)))
        }
        Provider::GitLab => {
            let job: GitLabJob = read(payload)?;
            are_numbers([&job.project_id, &job.namespace_id, &job.user_id])?;
            Ok(Identity::GitlabJob(Box::new(job)))
        }
        Provider::Buildkite => {
            let claims: BuildkiteClaims = read(payload)?;
            Ok(Identity::BuildkiteJob(Box::new(claims.into())))
        }
    }
}

fn are_numbers(ids: [&String; 3]) -> Result<(), OidcRejection> {
    let is_number = |id: &&String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if ids.iter().all(is_number) {
        Ok(())
    } else {
        Err(OidcRejection::Claims)
    }
}

/// Parses claims. A duplicate claim is an error, because parsers could disagree about its value.
fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, OidcRejection> {
    serde_json::from_slice(payload).map_err(|_| OidcRejection::Claims)
}
