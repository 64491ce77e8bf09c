use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::earlier_assets;
use crate::target::Target;

/// Asks for the contents of static assets that an earlier version of the deploy API stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EarlierAssets {
    /// The Worker for which they were uploaded. The client computes the hash, so it is trusted only for this Worker.
    pub target: Target,
    /// Their hashes, at most 1,000.
    pub hashes: Vec<String>,
}

/// A stored content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EarlierAsset {
    /// The hash.
    pub hash: String,
    /// The SHA-256 of the content, which is stored under `sha256/{digest}`.
    pub sha256: String,
    /// The content type that it is served with.
    pub content_type: Option<String>,
}

impl Message for EarlierAssets {
    const NAME: &'static str = "earlier-assets";
    /// The stored ones.
    type Answer = Vec<EarlierAsset>;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn earlier_assets(&self, message: &EarlierAssets) -> Result<Vec<EarlierAsset>, Problem> {
        let mut found = Vec::new();
        for hash in &message.hashes {
            if let Some(asset) = earlier_assets::find(&self.sql, &message.target, hash)? {
                found.push(EarlierAsset {
                    hash: hash.clone(),
                    sha256: asset.sha256.to_string(),
                    content_type: asset.content_type,
                });
            }
        }
        Ok(found)
    }
}
