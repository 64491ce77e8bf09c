//! Health checks of deployments: the request, the proof that the new version answered it, and the result.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::audit::Annotations;
use crate::schema::{PATH_PATTERN, Time};

/// The maximum length of a header's name in a proof, in bytes.
const MAX_HEADER_NAME: usize = 100;

/// The maximum length of the text of a proof, in bytes.
const MAX_TEXT: usize = 1000;

/// The request of a health check. A deployment that does not answer it as expected is rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "HealthCheck")]
pub struct HealthCheckRequest {
    /// The path, beginning with a slash, with the query if there is one.
    #[schemars(regex(pattern = PATH_PATTERN))]
    pub path: String,
    /// The HTTP status that the answer must have.
    #[schemars(range(min = 100, max = 599))]
    pub expect: u16,
    /// What the answer must contain to prove that the new version gave it; without it, a check cannot pass, only be unproven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// A part of an answer that proves which version gave it. The texts may contain the placeholders `{tag}` and `{message}`, which
/// stand for the annotations of the deployment that is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "HealthProof")]
pub enum Proof {
    /// A header of the answer has this value.
    Header(HeaderProof),
    /// The first 64 KiB of the body contain this text.
    Body(#[schemars(length(min = 1, max = MAX_TEXT))] String),
}

/// The header of a [`Proof`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderProof {
    /// Its name, in any case.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,100}$"))]
    pub name: String,
    /// Its whole value.
    #[schemars(length(min = 1, max = MAX_TEXT))]
    pub value: String,
}

/// Why a [`Proof`] is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidProof {
    /// The header's name is not one of HTTP.
    #[error(
        "\"proof.header.name\" is not the name of a header of 1 to {MAX_HEADER_NAME} letters, digits and hyphens"
    )]
    HeaderName,
    /// The text is empty, too long, or has control characters.
    #[error("the text of \"proof\" must have 1 to {MAX_TEXT} bytes and no control characters")]
    Text,
    /// A header's value begins or ends with a space, which HTTP does not transmit.
    #[error("\"proof.header.value\" begins or ends with a space, which HTTP does not transmit")]
    Space,
    /// A placeholder is unknown.
    #[error("\"proof\" has the placeholder {{{0}}}, which is unknown")]
    Placeholder(String),
}

/// The deployment has no value for a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the proof has {{{0}}}, and the deployment has no {0}: add it with `wrangler deploy --{0} …`")]
pub struct Unresolved(&'static str);

/// A placeholder of a proof.
#[derive(Clone, Copy)]
enum Placeholder {
    Tag,
    Message,
}

impl Placeholder {
    const ALL: [Self; 2] = [Self::Tag, Self::Message];

    const fn name(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Message => "message",
        }
    }

    fn value(self, annotations: &Annotations) -> Option<&str> {
        match self {
            Self::Tag => annotations.tag.as_deref(),
            Self::Message => annotations.message.as_deref(),
        }
    }
}

/// The part of a text before its first placeholder, the placeholder's name, and the rest. Braces around anything but lowercase
/// letters and underscores, as in JSON, are no placeholder.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    text.match_indices('{').find_map(|(at, _)| {
        let (before, from) = text.split_at_checked(at)?;
        let (name, rest) = from.strip_prefix('{')?.split_once('}')?;
        is_name(name).then_some((before, name, rest))
    })
}

impl Proof {
    /// Checks the names and texts of a proof that a client sent.
    ///
    /// # Errors
    /// The first mistake.
    pub fn check(&self) -> Result<(), InvalidProof> {
        let text = match self {
            Self::Header(HeaderProof { name, value }) => {
                let is_name = (1..=MAX_HEADER_NAME).contains(&name.len())
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
                if !is_name {
                    return Err(InvalidProof::HeaderName);
                }
                if value.trim() != value {
                    return Err(InvalidProof::Space);
                }
                value
            }
            Self::Body(text) => text,
        };
        if !(1..=MAX_TEXT).contains(&text.len()) || text.chars().any(char::is_control) {
            return Err(InvalidProof::Text);
        }
        let mut rest = text.as_str();
        while let Some((_, name, after)) = split(rest) {
            if !Placeholder::ALL.iter().any(|known| known.name() == name) {
                return Err(InvalidProof::Placeholder(name.to_owned()));
            }
            rest = after;
        }
        Ok(())
    }

    /// The proof of a deployment: each placeholder is replaced by the deployment's value.
    ///
    /// # Errors
    /// If the deployment has no value for one of them.
    pub fn resolve(&self, annotations: &Annotations) -> Result<Self, Unresolved> {
        let resolve = |text: &str| {
            let mut resolved = String::new();
            let mut rest = text;
            while let Some((before, name, after)) = split(rest) {
                resolved.push_str(before);
                match Placeholder::ALL.into_iter().find(|known| known.name() == name) {
                    Some(known) => {
                        let value = known.value(annotations).filter(|value| !value.is_empty());
                        resolved.push_str(value.ok_or(Unresolved(known.name()))?);
                    }
                    // `check` rejects it.
                    None => resolved.push_str(name),
                }
                rest = after;
            }
            resolved.push_str(rest);
            Ok(resolved)
        };
        Ok(match self {
            Self::Header(header) => Self::Header(HeaderProof {
                name: header.name.clone(),
                value: resolve(&header.value)?,
            }),
            Self::Body(text) => Self::Body(resolve(text)?),
        })
    }

    /// Whether the text has a placeholder, so that it differs between deployments.
    #[must_use]
    pub fn has_placeholder(&self) -> bool {
        match self {
            Self::Header(header) => split(&header.value).is_some(),
            Self::Body(text) => split(text).is_some(),
        }
    }
}

/// The health of a deployment: the result of its last health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeploymentHealth {
    /// The result.
    pub result: HealthResult,
    /// When the result was recorded; `None` if there is none yet.
    #[schemars(with = "Option<Time>")]
    pub time: Option<Timestamp>,
    /// Why the result is `unproven`, `failed` or `none`, in words.
    pub detail: Option<String>,
    /// The proof that the answer contained, with the values of this deployment.
    pub proof: Option<Proof>,
}

/// The result of a health check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthResult {
    /// No health check was made.
    #[default]
    None,
    /// The health check is not finished.
    Pending,
    /// The answer was as expected and proves that this deployment gave it.
    Passed,
    /// The answer was as expected, and another version may have given it.
    Unproven,
    /// The answer was not as expected.
    Failed,
}

impl DeploymentHealth {
    /// The health of a deployment whose check is not finished.
    #[must_use]
    pub fn pending() -> Self {
        Self {
            result: HealthResult::Pending,
            ..Self::default()
        }
    }

    /// The health as it is shown. If the deployment `is_serving` and failed its check, the detail says so.
    #[must_use]
    pub fn shown(&self, is_serving: bool) -> Self {
        let mut shown = self.clone();
        if is_serving && self.result == HealthResult::Failed {
            let detail = self.detail.as_deref().unwrap_or("unexpected answer");
            shown.detail = Some(format!("serving, health check failed: {detail}"));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Proof {
        Proof::Body(text.to_owned())
    }

    fn header(name: &str, value: &str) -> Proof {
        Proof::Header(HeaderProof {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    #[test]
    fn placeholders_are_replaced_once() {
        let annotations = Annotations {
            tag: Some("{message}".to_owned()),
            message: Some("m".to_owned()),
        };
        let proof = body("{\"version\":\"{tag}\",\"why\":\"{message}\"} {");
        assert_eq!(proof.check(), Ok(()));
        assert!(proof.has_placeholder());
        assert_eq!(
            proof.resolve(&annotations),
            Ok(body("{\"version\":\"{message}\",\"why\":\"m\"} {"))
        );
        assert_eq!(
            header("x", "v{tag}").resolve(&Annotations::default()),
            Err(Unresolved("tag"))
        );
        assert!(!body("{\"a\":1}").has_placeholder());
    }

    #[test]
    fn what_cannot_be_compared_is_rejected() {
        let long = "x".repeat(MAX_TEXT + 1);
        for (proof, error) in [
            (header("", "x"), InvalidProof::HeaderName),
            (header("x y", "x"), InvalidProof::HeaderName),
            (header(&long, "x"), InvalidProof::HeaderName),
            (header("x", " 1"), InvalidProof::Space),
            (header("x", "a\r\nb"), InvalidProof::Text),
            (body(""), InvalidProof::Text),
            (body(&long), InvalidProof::Text),
            (body("{version}"), InvalidProof::Placeholder("version".to_owned())),
        ] {
            assert_eq!(proof.check(), Err(error), "{proof:?}");
        }
        assert_eq!(body(&long[1..]).check(), Ok(()));
    }
}
