//! Writes the secrets of a request. Only a client does so, to send them: the API itself only reads requests.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;

/// Writes one secret. For `#[serde(serialize_with = "…")]`.
pub(super) fn serialize<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// Writes secrets by name. For `#[serde(serialize_with = "…")]`.
pub(super) fn serialize_all<S: Serializer>(
    secrets: &BTreeMap<String, SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        secrets
            .iter()
            .map(|(name, secret)| (name, secret.expose_secret())),
    )
}
