use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;

/// The static assets of a deployment: what each path serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssetManifest(pub BTreeMap<String, AssetFile>);

/// One static asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetFile {
    /// The hash by which wrangler and the upstream identify it.
    pub hash: String,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content, under which it is stored; `None` if its content was never uploaded through this API,
    /// because the upstream had it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// The content type that it is served with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}
