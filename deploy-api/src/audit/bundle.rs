use serde::{Deserialize, Serialize};

/// What an upload consists of, by digests: enough to tell what ran, and nothing that is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The bundle's own digest, under which it is stored.
    pub digest: String,
    /// The SHA-256 of its metadata, from which the values of secrets were removed.
    pub metadata: String,
    /// Its modules, in the order of the upload.
    pub modules: Vec<Module>,
    /// The date of the runtime's behaviour that it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_date: Option<String>,
    /// Its bindings.
    pub bindings: Vec<Binding>,
}

/// One module of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Its name, a path.
    pub name: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A binding, of which a name and a type are all that is ever kept: values, secret or not, have no field here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The name under which the Worker finds it.
    pub name: String,
    /// Cloudflare's word for its type, such as `secret_text` or `kv_namespace`.
    #[serde(rename = "type")]
    pub kind: String,
}
