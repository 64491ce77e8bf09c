use serde::Deserialize;
use thiserror::Error;

use super::key_set::MAX_KEY_SET;
use crate::identity::Provider;

/// The default audience of OIDC tokens. It prevents that a token for another service is used here. It does not authorize
/// anything, because every workflow can request a token for every audience.
pub const DEFAULT_AUDIENCE: &str = "dotdo-deploy";

/// The accepted issuers of OIDC tokens, and the required audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuers {
    issuers: Vec<Issuer>,
    audience: String,
}

/// An issuer of OIDC tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The URL, equal to the claim `iss`. The scheme is `https`, or `http` for a loopback address.
    address: String,
    /// The service, which decides the claims of its tokens.
    provider: Provider,
}

/// An issuer in the configuration: its URL, or a description for a server of your own.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Address(String),
    Described(Described),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    issuer: String,
    provider: Provider,
}

/// Why the configuration of the issuers is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidIssuer {
    /// The value is not a JSON list of issuers.
    #[error(
        "OIDC_ISSUERS is not a JSON list of URLs, such as [\"https://token.actions.githubusercontent.com\"], or of \
         objects such as {{\"issuer\": \"https://gitlab.example.com\", \"provider\": \"gitlab\"}}; the providers are \
         github, gitlab and buildkite"
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
            issuers: vec![Issuer::hosted(Provider::GitHub)],
            audience: DEFAULT_AUDIENCE.to_owned(),
        }
    }
}

impl Issuers {
    /// Loads the variables `OIDC_ISSUERS` and `OIDC_AUDIENCE`. A missing variable has its default. `OIDC_ISSUERS` is a JSON list of
    /// URLs, or of objects with `issuer` and `provider`. A URL without a provider is that of a hosted service, or of a GitHub
    /// Enterprise Server.
    ///
    /// # Errors
    /// If a variable is set, but invalid.
    pub fn load(issuers: Option<&str>, audience: Option<&str>) -> Result<Self, InvalidIssuer> {
        let mut loaded = Self::default();
        if let Some(json) = issuers {
            let listed: Vec<Listed> = serde_json::from_str(json).map_err(|_| InvalidIssuer::NotAList)?;
            if listed.is_empty() {
                return Err(InvalidIssuer::Empty);
            }
            loaded.issuers = listed
                .into_iter()
                .map(|listed| match listed {
                    Listed::Address(address) => {
                        let hosted = Provider::ALL
                            .into_iter()
                            .find(|provider| provider.issuer() == address);
                        Issuer::parse(address, hosted.unwrap_or(Provider::GitHub))
                    }
                    Listed::Described(Described { issuer, provider }) => Issuer::parse(issuer, provider),
                })
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

    /// The accepted issuer with this address.
    #[must_use]
    pub fn get(&self, address: &str) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.address == address)
    }

    /// The required audience of tokens.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }
}

impl Issuer {
    fn hosted(provider: Provider) -> Self {
        Self {
            address: provider.issuer().to_owned(),
            provider,
        }
    }

    fn parse(address: String, provider: Provider) -> Result<Self, InvalidIssuer> {
        let plain = !address.ends_with('/') && !address.contains(['?', '#', '@', '\\', ' ']);
        if plain && (is_https(&address) || is_loopback(&address)) {
            Ok(Self { address, provider })
        } else {
            Err(InvalidIssuer::Address(address))
        }
    }

    /// The URL, exactly as in the claim `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The service.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The URL of the discovery document (`OpenID` Connect Discovery 1.0, section 4), which contains the URL of the keys.
    #[must_use]
    pub fn discovery_address(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.address)
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
        let safe =
            is_https(&document.jwks_uri) || (is_loopback(&self.address) && is_loopback(&document.jwks_uri));
        (document.issuer == self.address && safe && !document.jwks_uri.contains('@'))
            .then_some(document.jwks_uri)
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
    fn the_provider_of_a_server_is_configured_and_those_of_hosted_services_are_known() {
        let listed = r#"["https://gitlab.com", "https://agent.buildkite.com", "https://ghe.example/_services/token",
            {"issuer": "https://gitlab.example", "provider": "gitlab"}]"#;
        let issuers = Issuers::load(Some(listed), None).unwrap();
        let provider = |address| issuers.get(address).map(Issuer::provider);
        assert_eq!(provider("https://gitlab.com"), Some(Provider::GitLab));
        assert_eq!(provider("https://agent.buildkite.com"), Some(Provider::Buildkite));
        assert_eq!(
            provider("https://ghe.example/_services/token"),
            Some(Provider::GitHub)
        );
        assert_eq!(provider("https://gitlab.example"), Some(Provider::GitLab));
        assert_eq!(provider("https://token.actions.githubusercontent.com"), None);
        for bad in [
            r#"[{"issuer": "https://gitlab.example"}]"#,
            r#"[{"issuer": "https://gitlab.example", "provider": "jenkins"}]"#,
            r#"[{"issuer": "https://gitlab.example", "provider": "gitlab", "audience": "x"}]"#,
        ] {
            assert_eq!(
                Issuers::load(Some(bad), None),
                Err(InvalidIssuer::NotAList),
                "{bad}"
            );
        }
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
        let issuer = Issuer::parse("https://a.example".to_owned(), Provider::GitHub).unwrap();
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
