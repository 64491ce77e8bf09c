use serde::Deserialize;
use thiserror::Error;

use super::key_set::MAX_KEY_SET;
use crate::identity::GITHUB_ISSUER;

/// The audience that tokens are made for unless the deploy API is configured otherwise. It keeps a token that was made
/// for another service from being used here, and proves nothing else: any workflow may ask for any audience.
pub const DEFAULT_AUDIENCE: &str = "dotdo-deploy";

/// Who may issue OIDC tokens, and for whom they must be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuers {
    issuers: Vec<Issuer>,
    audience: String,
}

/// An issuer, by the address that stands in the claim `iss`: `https`, or `http` on this very machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

/// What is wrong with the configured issuers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidIssuer {
    /// Not a list of texts.
    #[error(
        "OIDC_ISSUERS is no JSON list of addresses, such as [\"https://token.actions.githubusercontent.com\"]"
    )]
    NotAList,
    /// Nobody could ever exchange a token.
    #[error("OIDC_ISSUERS is an empty list; remove it to accept GitHub Actions on github.com")]
    Empty,
    /// An address that keys could not be read from safely.
    #[error("{0:?} in OIDC_ISSUERS is no https address without a query or a '/' at its end")]
    Address(String),
    /// Tokens for any audience would be accepted.
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
    /// Reads the variables `OIDC_ISSUERS` (a JSON list of addresses) and `OIDC_AUDIENCE`; without them, the default.
    ///
    /// # Errors
    /// When one of them is set and cannot be used.
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

    /// Every issuer.
    #[must_use]
    pub fn all(&self) -> &[Issuer] {
        &self.issuers
    }

    /// For whom tokens must be made.
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

    /// The address, exactly as it stands in the claim `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the issuer says where its keys are (`OpenID` Connect Discovery 1.0, section 4).
    #[must_use]
    pub fn discovery_address(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0)
    }

    /// The address of the keys, from the discovery document. Nothing if the document is not this issuer's own, or
    /// its keys cannot be read over a connection that is safe.
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

/// Whether the address is on this machine, where tests run an issuer of their own.
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
    fn github_is_the_issuer_unless_told_otherwise() {
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
    fn an_issuer_whose_keys_could_be_forged_on_the_way_is_refused() {
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
    fn the_discovery_document_must_be_the_issuers_own() {
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
