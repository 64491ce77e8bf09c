//! The JSON forms of a [`Manifest`]: what the Cloudflare API receives, and what is stored.
//!
//! Both have the member `manifest`. The stored form of a deployment also has the locations, which refer to keys and content
//! types by their index, because 100,000 locations would repeat them:
//! ```json
//! {"manifest": {"/a.css": {"hash": "…", "size": 12}}, "objects": ["assets/…/…"], "types": ["text/css"],
//!  "stored": {"…": [0, 193, 16, "sha256 in base64url", 0]}, "legacy": {"…": ["sha256 in base64url", 0]}}
//! ```
//! 100,000 files with paths of 60 bytes are about 22 MB of JSON with locations and 12 MB without. A manifest in memory needs
//! about 28 MB and 12 MB.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use super::manifest::ManifestFile;
use super::{AssetHash, ContentDigest, Location, Manifest};
use crate::bundles::Digest;

/// The stored bytes are not the manifest of that digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BrokenManifest {
    /// Their digest is another one.
    #[error("the stored manifest has another digest")]
    Digest,
    /// They are not a manifest.
    #[error("the stored bytes are not a manifest")]
    Form,
}

/// The key of a stored manifest: `assets/manifests/{digest}`.
#[must_use]
pub fn manifest_key(digest: &Digest) -> String {
    format!("assets/manifests/{digest}")
}

impl Manifest {
    /// The body with which a session is opened at the Cloudflare API: the files without their locations. It is the same as
    /// the stored form of a manifest without locations.
    ///
    /// # Errors
    /// Never, in practice: every manifest can be written as JSON.
    pub fn session_body(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            manifest: &'a BTreeMap<String, ManifestFile>,
        }
        serde_json::to_vec(&Body {
            manifest: &self.files,
        })
    }

    /// The digest of the stored form, and the stored form. Equal manifests have the same digest. The object's key is
    /// [`manifest_key`].
    ///
    /// # Errors
    /// Never, in practice: every manifest can be written as JSON.
    pub fn to_stored(&self) -> Result<(Digest, Vec<u8>), serde_json::Error> {
        let length = self.files_length() + self.stored.len() * LOCATION_LENGTH;
        let bytes = to_json(&WriteStored::of(self), length)?;
        Ok((Digest::of(&bytes), bytes))
    }

    /// About the number of bytes of the files in JSON.
    fn files_length(&self) -> usize {
        self.files.keys().map(|path| path.len() + FILE_LENGTH).sum()
    }

    /// Reads the stored form, and checks its digest.
    ///
    /// # Errors
    /// If the bytes are not the manifest of that digest.
    pub fn from_stored(digest: &Digest, bytes: &[u8]) -> Result<Self, BrokenManifest> {
        if Digest::of(bytes) != *digest {
            return Err(BrokenManifest::Digest);
        }
        serde_json::from_slice::<ReadStored>(bytes)
            .ok()
            .and_then(ReadStored::manifest)
            .ok_or(BrokenManifest::Form)
    }
}

/// The number of bytes of most files in JSON, without the path.
const FILE_LENGTH: usize = 70;

/// The number of bytes of most locations in JSON.
const LOCATION_LENGTH: usize = 120;

/// Writes JSON of about this length into one allocation. A buffer that doubles its size needs up to three times the length
/// while it is moved.
fn to_json(value: &impl Serialize, length: usize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::with_capacity(length);
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

type StoredRow = (usize, u64, u64, ContentDigest, Option<usize>);
type LegacyRow = (ContentDigest, Option<usize>);

#[derive(Serialize)]
struct WriteStored<'a> {
    manifest: &'a BTreeMap<String, ManifestFile>,
    #[serde(skip_serializing_if = "Index::is_empty")]
    objects: Index<'a>,
    #[serde(skip_serializing_if = "Index::is_empty")]
    types: Index<'a>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    stored: Rows<'a>,
    #[serde(skip_serializing_if = "Rows::is_empty")]
    legacy: Rows<'a>,
}

/// Texts in the order of their index, which is their alphabetical order.
#[derive(Clone, Default)]
struct Index<'a>(Arc<BTreeMap<&'a str, usize>>);

impl<'a> Index<'a> {
    fn of(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut texts: BTreeMap<&str, usize> = texts.map(|text| (text, 0)).collect();
        for (index, value) in texts.values_mut().enumerate() {
            *value = index;
        }
        Self(Arc::new(texts))
    }

    fn get(&self, text: &str) -> Option<usize> {
        self.0.get(text).copied()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Index<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.keys())
    }
}

/// The locations of one kind, written one at a time.
struct Rows<'a> {
    locations: &'a BTreeMap<AssetHash, Location>,
    is_legacy: bool,
    objects: Index<'a>,
    types: Index<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Stored(StoredRow),
    Legacy(LegacyRow),
}

impl Rows<'_> {
    fn rows(&self) -> impl Iterator<Item = (&AssetHash, Row)> {
        self.locations.iter().filter_map(|(hash, location)| {
            let content_type = location.content_type().and_then(|text| self.types.get(text));
            let row = match location {
                Location::Bucket {
                    key,
                    offset,
                    length,
                    sha256,
                    ..
                } if !self.is_legacy => {
                    Row::Stored((self.objects.get(key)?, *offset, *length, *sha256, content_type))
                }
                Location::Legacy { sha256, .. } if self.is_legacy => Row::Legacy((*sha256, content_type)),
                _ => return None,
            };
            Some((hash, row))
        })
    }

    fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.rows())
    }
}

impl<'a> WriteStored<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let locations = &manifest.stored;
        let objects = Index::of(locations.values().filter_map(|location| match location {
            Location::Bucket { key, .. } => Some(&**key),
            Location::Legacy { .. } => None,
        }));
        let types = Index::of(locations.values().filter_map(Location::content_type));
        let rows = |is_legacy| Rows {
            locations,
            is_legacy,
            objects: objects.clone(),
            types: types.clone(),
        };
        Self {
            manifest: &manifest.files,
            stored: rows(false),
            legacy: rows(true),
            objects,
            types,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadStored {
    manifest: BTreeMap<String, ManifestFile>,
    #[serde(default)]
    objects: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    stored: BTreeMap<AssetHash, StoredRow>,
    #[serde(default)]
    legacy: BTreeMap<AssetHash, LegacyRow>,
}

impl ReadStored {
    /// The manifest; `None` if an index has no text.
    fn manifest(self) -> Option<Manifest> {
        let shared = |texts: Vec<String>| texts.into_iter().map(Arc::from).collect::<Vec<Arc<str>>>();
        let objects = shared(self.objects);
        let types = shared(self.types);
        let content_type = |index: Option<usize>| match index {
            None => Some(None),
            Some(index) => types.get(index).cloned().map(Some),
        };
        let mut stored = BTreeMap::new();
        for (hash, (object, offset, length, sha256, index)) in self.stored {
            let location = Location::Bucket {
                key: objects.get(object).cloned()?,
                offset,
                length,
                sha256,
                content_type: content_type(index)?,
            };
            stored.insert(hash, location);
        }
        for (hash, (sha256, index)) in self.legacy {
            let location = Location::Legacy {
                sha256,
                content_type: content_type(index)?,
            };
            stored.insert(hash, location);
        }
        Some(Manifest {
            files: self.manifest,
            stored,
        })
    }
}
