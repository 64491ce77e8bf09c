//! The static assets of a deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AssetHash, ContentDigest, InvalidAssetHash, Location};
use crate::bundles::AssetManifest;

/// The most files of a manifest, and the most locations in it: what the Cloudflare API accepts.
/// <https://developers.cloudflare.com/workers/platform/limits/#static-assets>
pub const MAX_FILES: usize = 100_000;

/// The static assets of a deployment: which file each path serves, and where the contents are stored.
///
/// It is stored as JSON under `assets/manifests/{digest}` (see [`Manifest::to_stored`]). The manifest of a session has no
/// locations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub(super) files: BTreeMap<String, ManifestFile>,
    pub(super) stored: BTreeMap<AssetHash, Location>,
}

/// The file of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Its hash.
    pub hash: AssetHash,
    /// Its size in bytes, as the client stated it.
    pub size: u64,
}

impl Manifest {
    /// The files by path.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, ManifestFile> {
        &self.files
    }

    /// The sum of the sizes of the files, in bytes.
    #[must_use]
    pub fn total_size(&self) -> u64 {
        self.files
            .values()
            .fold(0, |sum, file| file.size.saturating_add(sum))
    }

    /// The locations by hash. Some may belong to files of earlier deployments (see [`carry_over`](Self::carry_over)).
    #[must_use]
    pub const fn stored(&self) -> &BTreeMap<AssetHash, Location> {
        &self.stored
    }

    /// Where the file of this hash is stored; `None` if its content never passed through the deploy API.
    #[must_use]
    pub fn location(&self, hash: &AssetHash) -> Option<&Location> {
        self.stored.get(hash)
    }

    /// The hashes of the files.
    #[must_use]
    pub fn hashes(&self) -> BTreeSet<AssetHash> {
        self.files.values().map(|file| file.hash).collect()
    }

    /// Adds the locations of an earlier deployment of the same Worker, up to [`MAX_FILES`] locations.
    ///
    /// The Cloudflare API does not ask for a file that it has already, also when the file belongs to an earlier deployment. So
    /// the locations of files that this deployment does not use are kept for the deployments after it. If there are too
    /// many, the order is: files of this deployment, files of the earlier deployment, other files.
    pub fn carry_over(&mut self, previous: &Self) {
        let used = self.hashes();
        let used_before = previous.hashes();
        let rank = |hash: &AssetHash| {
            if used.contains(hash) {
                0
            } else if used_before.contains(hash) {
                1
            } else {
                2
            }
        };
        for wanted in 0..=2 {
            for (hash, location) in &previous.stored {
                if self.stored.len() >= MAX_FILES {
                    return;
                }
                if rank(hash) == wanted {
                    self.stored.entry(*hash).or_insert_with(|| location.clone());
                }
            }
        }
    }

    /// The keys of the objects that the locations refer to. Each of them must exist as long as the deployment can be
    /// redeployed.
    #[must_use]
    pub fn object_keys(&self) -> BTreeSet<Arc<str>> {
        self.stored.values().map(Location::key).collect()
    }
}

/// The manifest of a bundle that an earlier version of the deploy API stored.
impl TryFrom<&AssetManifest> for Manifest {
    type Error = InvalidAssetHash;

    fn try_from(legacy: &AssetManifest) -> Result<Self, InvalidAssetHash> {
        let mut manifest = Self::default();
        let mut content_types = SharedTexts::default();
        for (path, file) in &legacy.0 {
            let hash = AssetHash::parse(&file.hash)?;
            let size = file.size;
            manifest.files.insert(path.clone(), ManifestFile { hash, size });
            if let Some(sha256) = &file.sha256 {
                let location = Location::Legacy {
                    sha256: ContentDigest::from(sha256),
                    content_type: file.content_type.as_deref().map(|text| content_types.share(text)),
                };
                manifest.stored.insert(hash, location);
            }
        }
        Ok(manifest)
    }
}

/// Texts that occur many times and are in memory once.
#[derive(Debug, Default)]
pub(super) struct SharedTexts(BTreeSet<Arc<str>>);

impl SharedTexts {
    /// The shared copy of a text.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&new));
        new
    }
}
