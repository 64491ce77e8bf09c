use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Presented, VerifyingKey};
use crate::identity::{GitHubRun, OidcRejection};

/// By how much the issuer's clock and ours may differ.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// The longest time that a token may be valid for, which bounds how long its `jti` is remembered. GitHub's are valid
/// for five minutes.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The longest `jti` that is remembered, in bytes.
const MAX_TOKEN_ID: usize = 256;

/// What a verified token proves. Whether it is shown for the first time is for the memory of token ids to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenRun {
    /// The run.
    pub run: GitHubRun,
    /// The token's own id, the claim `jti`, unique per issuer.
    pub token_id: String,
    /// When the token ends.
    pub expires: Timestamp,
}

/// The claims that are about the token and not about the run.
#[derive(Deserialize)]
struct TokenClaims {
    aud: Audience,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    jti: String,
}

/// RFC 7519, section 4.1.3: a text, or a list of texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether the token was made for this audience and nobody else.
    fn is_only(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.as_slice() == [audience],
        }
    }
}

/// Checks a token with its issuer's key: its signature first, then its audience and times, then that its claims are
/// those of a GitHub run.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(
    token: &Presented,
    key: &VerifyingKey,
    audience: &str,
    now: Timestamp,
) -> Result<ProvenRun, OidcRejection> {
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
    let run: GitHubRun = read(token.payload())?;
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if ![&run.repository_id, &run.repository_owner_id, &run.actor_id]
        .into_iter()
        .all(|id| is_number(id))
    {
        return Err(OidcRejection::Claims);
    }
    Ok(ProvenRun {
        run,
        token_id: claims.jti,
        expires,
    })
}

/// Reads claims. A claim that stands twice is an error, so that no two readers can take a different one.
fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, OidcRejection> {
    serde_json::from_slice(payload).map_err(|_| OidcRejection::Claims)
}
