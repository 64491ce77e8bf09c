use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::identity::OidcRejection;

/// The longest OIDC token that is read, in bytes. GitHub's have about 2,000.
pub const MAX_OIDC_TOKEN: usize = 8 * 1024;

/// The longest key id that is looked up, in bytes.
const MAX_KEY_ID: usize = 256;

/// A JSON Web Token in its compact form (RFC 7515, section 7.1), read and not yet believed.
pub struct Presented {
    signed: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
    key_id: String,
    issuer: String,
}

/// The members of the header that matter. Those that bring a key along (`jku`, `jwk`, `x5u`, `x5c`) are not read.
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
    /// Reads a token.
    ///
    /// # Errors
    /// When it is too long, is no token, or is not signed with RS256 by a key that it names.
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

    /// The id of the key that it says it is signed with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The issuer that it says it comes from.
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

/// Redacted: the text is a credential until it expires.
impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented([REDACTED])")
    }
}

/// Base64url without padding, in its one canonical spelling.
fn decode(part: &str) -> Result<Vec<u8>, OidcRejection> {
    BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| OidcRejection::Malformed)
}
