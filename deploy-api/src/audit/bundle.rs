use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::HexDigest;

/// The content of an upload, by digests. It identifies the code and contains no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bundle {
    /// The bundle's own digest, under which it is stored.
    #[schemars(with = "HexDigest")]
    pub digest: String,
    /// The SHA-256 of its metadata, from which the values of secrets were removed.
    pub metadata: String,
    /// Its modules, in the order of the upload.
    pub modules: Vec<Module>,
    /// The compatibility date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_date: Option<String>,
    /// Its bindings.
    pub bindings: Vec<Binding>,
}

/// One module of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Module {
    /// Its name, a path.
    pub name: String,
    /// The SHA-256 of its content, in hexadecimal.
    #[schemars(with = "HexDigest")]
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A binding. Only its name and its type are recorded, never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// The name by which the Worker accesses it.
    pub name: String,
    /// Cloudflare's name of its type, such as `secret_text` or `kv_namespace`.
    #[serde(rename = "type")]
    pub kind: String,
}
