//! A parsed credential keeps its exact text, and no error text and no debug output contains one.

use deploy_api::deployments::DeploymentId;
use deploy_api::identity::oidc::Presented;
use deploy_api::identity::{Credential, Token, TokenId};

/// Checks a text as each kind of credential of a request, and as each id in its path.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(token) = Token::parse(text) {
        assert_eq!(token.reveal(), text);
        assert!(Token::looks_like_one(text));
        assert!(!format!("{token:?}").contains(text));
        assert!(!token.id().as_str().contains(text));
    }
    if let Ok(credential) = Credential::from_authorization(Some(text)) {
        let bearer = text.split_once(' ').map_or("", |(_, bearer)| bearer.trim());
        let debug = format!("{credential:?}").replace(REDACTED, "");
        assert!(!could_be_a_secret(bearer) || !debug.contains(bearer), "{debug}");
    }
    if let Err(error) = Token::parse(text) {
        assert!(!could_be_a_secret(text) || !error.to_string().contains(text));
    }
    if let Ok(presented) = Presented::parse(text) {
        assert!(!presented.key_id().is_empty() || text.contains("kid"));
    }
    if let Ok(id) = TokenId::parse(text) {
        assert_eq!(id.as_str(), text);
    }
    if let Ok(id) = DeploymentId::parse(text) {
        assert_eq!(DeploymentId::parse(&id.digits()), Ok(id.clone()));
        assert_eq!(DeploymentId::of_tags(&[id.tag()]), Some(id));
    }
}

/// The debug output of a secret. An input may be a part of this text.
const REDACTED: &str = "SecretBox<str>([REDACTED])";

/// Whether a text is long enough to be a secret. A short text, or one with spaces, may occur in an error text by
/// chance.
fn could_be_a_secret(text: &str) -> bool {
    text.len() >= 20 && !text.contains(' ')
}
