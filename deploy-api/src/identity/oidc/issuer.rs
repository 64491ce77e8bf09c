use serde::Deserialize;
use thiserror::Error;

use super::key_set::MAX_KEY_SET;
use crate::identity::GITHUB_ISSUER;

/// The default audience of OIDC tokens. It prevents that a token for another service is used here. It does not authorize
/// anything, because every workflow can request a token for every audience.
pub const DEFAULT_AUDIENCE: &str = "dotdo-deploy";

/// The accepted issuers of OIDC tokens, and the required audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuers {
    issuers: Vec<Issuer>,
    audience: String,
}

/// The URL of an issuer, equal to the claim `iss`. The scheme is `https`, or `http` for a loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

/// Why the configuration of the issuers is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidIssuer {
    /// The value is not a JSON list of strings.
    #[error(
        "OIDC_ISSUERS is not a JSON list of URLs, such as [\"https://token.actions.githubusercontent.com\"]"
    )]
    NotAList,
    /// The list is empty, so no token could be exchanged.
    #[error("OIDC_ISSUERS is an empty list; remove it to accept GitHub Actions on github.com")]
    Empty,
    /// A URL is not valid, or keys cannot be fetched from it over a secure connection.
    #[error(
        "{0:?} in OIDC_ISSUERS is not valid; use an https URL without a query and without a '/' at the end"
    )]
    Address(String),
    /// The audience is empty.
    #[error("OIDC_AUDIENCE is empty; remove it to use the default")]
    Audience,
}

impl Default for Issuers {
    /// GitHub Actions on github.com, for [`DEFAULT_AUDIENCE`].
    fn default() -> Self {
        Self {
            issuers: vec![Issuer(GITHUB_ISSUER.to_owned())],
            audience: DEFAULT_AUDIENCE.to_owned(),
        }
    }
}

impl Issuers {
    /// Loads the variables `OIDC_ISSUERS` (a JSON list of URLs) and `OIDC_AUDIENCE`. A missing variable has its default.
    ///
    /// # Errors
    /// If a variable is set, but invalid.
    pub fn load(issuers: Option<&str>, audience: Option<&str>) -> Result<Self, InvalidIssuer> {
        let mut loaded = Self::default();
        if let Some(json) = issuers {
            let addresses: Vec<String> = serde_json::from_str(json).map_err(|_| InvalidIssuer::NotAList)?;
            if addresses.is_empty() {
                return Err(InvalidIssuer::Empty);
            }
            loaded.issuers = addresses
                .into_iter()
                .map(Issuer::parse)
                .collect::<Result<_, _>>()?;
        }
        if let Some(audience) = audience {
            if audience.trim().is_empty() {
                return Err(InvalidIssuer::Audience);
            }
            audience.trim().clone_into(&mut loaded.audience);
        }
        Ok(loaded)
    }

    /// The accepted issuers.
    #[must_use]
    pub fn all(&self) -> &[Issuer] {
        &self.issuers
    }

    /// The required audience of tokens.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }
}

impl Issuer {
    fn parse(address: String) -> Result<Self, InvalidIssuer> {
        let plain = !address.ends_with('/') && !address.contains(['?', '#', '@', '\\', ' ']);
        if plain && (is_https(&address) || is_loopback(&address)) {
            Ok(Self(address))
        } else {
            Err(InvalidIssuer::Address(address))
        }
    }

    /// The URL, exactly as in the claim `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of the discovery document (`OpenID` Connect Discovery 1.0, section 4), which contains the URL of the keys.
    #[must_use]
    pub fn discovery_address(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0)
    }

    /// The URL of the keys, from the discovery document. `None` if the document is invalid or belongs to another issuer, or
    /// if the URL is not secure.
    #[must_use]
    pub fn keys_address(&self, discovery: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
            jwks_uri: String,
        }
        if discovery.len() > MAX_KEY_SET {
            return None;
        }
        let document: Discovery = serde_json::from_slice(discovery).ok()?;
        let safe = is_https(&document.jwks_uri) || (is_loopback(&self.0) && is_loopback(&document.jwks_uri));
        (document.issuer == self.0 && safe && !document.jwks_uri.contains('@')).then_some(document.jwks_uri)
    }
}

fn is_https(address: &str) -> bool {
    address
        .strip_prefix("https://")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// Whether the URL is an `http` URL of a loopback address. Tests run an issuer there.
fn is_loopback(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn github_is_the_default_issuer() {
        let issuers = Issuers::load(None, None).unwrap();
        assert_eq!(
            issuers.all()[0].as_str(),
            "https://token.actions.githubusercontent.com"
        );
        assert_eq!(
            issuers.all()[0].discovery_address(),
            "https://token.actions.githubusercontent.com/.well-known/openid-configuration"
        );
        let other = Issuers::load(Some(r#"["http://127.0.0.1:8750/issuer"]"#), Some(" mine ")).unwrap();
        assert_eq!((other.all().len(), other.audience()), (1, "mine"));
    }

    #[test]
    fn an_issuer_without_a_secure_connection_is_rejected() {
        for address in [
            "http://token.example",
            "http://127.0.0.1.evil.example",
            "http://localhost@evil.example",
            "https://",
            "https://a.example/",
            "https://a.example?x",
            "https://u@a.example",
            "ftp://a.example",
            "",
        ] {
            let json = serde_json::to_string(&[address]).unwrap();
            assert_eq!(
                Issuers::load(Some(&json), None),
                Err(InvalidIssuer::Address(address.to_owned())),
                "{address}"
            );
        }
        assert_eq!(Issuers::load(Some("{}"), None), Err(InvalidIssuer::NotAList));
        assert_eq!(Issuers::load(Some("[]"), None), Err(InvalidIssuer::Empty));
        assert_eq!(Issuers::load(None, Some(" ")), Err(InvalidIssuer::Audience));
    }

    #[test]
    fn the_discovery_document_must_belong_to_the_issuer() {
        let issuer = Issuer::parse("https://a.example".to_owned()).unwrap();
        let address = |document: &str| issuer.keys_address(document.as_bytes());
        assert_eq!(
            address(r#"{"issuer": "https://a.example", "jwks_uri": "https://keys.example/jwks", "more": 1}"#),
            Some("https://keys.example/jwks".to_owned())
        );
        for bad in [
            r#"{"issuer": "https://b.example", "jwks_uri": "https://a.example/jwks"}"#,
            r#"{"issuer": "https://a.example", "jwks_uri": "http://a.example/jwks"}"#,
            r#"{"issuer": "https://a.example", "jwks_uri": "http://127.0.0.1/jwks"}"#,
            r#"{"issuer": "https://a.example", "jwks_uri": "https://u@a.example/jwks"}"#,
            r#"{"issuer": "https://a.example"}"#,
            "<html>",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
