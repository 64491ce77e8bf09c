//! Reads the manifest that a client sends.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::manifest::ManifestFile;
use super::{AssetHash, MAX_FILES, Manifest};
use crate::code::Code;
use crate::problem::Problem;

/// The longest manifest that a client sends, in bytes: 100,000 files with paths of up to 250 bytes.
pub const MAX_MANIFEST: usize = 32 * 1024 * 1024;

/// A manifest that a client sent is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidManifest {
    /// It has more than [`MAX_MANIFEST`] bytes.
    #[error("it has more than {MAX_MANIFEST} bytes")]
    TooLong,
    /// It has more than [`MAX_FILES`] files.
    #[error("it has {0} files, and the limit is {MAX_FILES}")]
    TooManyFiles(usize),
    /// It is not JSON of the form `{"manifest": {"/path": {"hash": "…", "size": 1}}}`.
    #[error("it is not what wrangler sends")]
    Form,
    /// A hash is invalid.
    #[error("a hash is not 32 hexadecimal digits")]
    Hash,
    /// A path is invalid.
    #[error("a path does not begin with a slash")]
    Path,
    /// A path occurs more than once.
    #[error("a path occurs twice")]
    Duplicate,
}

impl From<InvalidManifest> for Problem {
    fn from(error: InvalidManifest) -> Self {
        let detail = format!("The manifest of the static assets cannot be read: {error}.");
        match error {
            InvalidManifest::TooLong | InvalidManifest::TooManyFiles(_) => Self::new(
                Code::UploadTooLarge,
                detail,
                "Deploy fewer static assets, or store them in R2.",
            ),
            _ => Self::new(
                Code::UploadMalformed,
                detail,
                "Deploy with an unchanged wrangler.",
            ),
        }
    }
}

/// Reads the manifest with which a client opens a session: `{"manifest": {"/path": {"hash", "size"}}}`.
///
/// # Errors
/// Why the manifest is not accepted.
pub fn read_manifest(body: &[u8]) -> Result<Manifest, InvalidManifest> {
    #[derive(Deserialize)]
    struct Body {
        manifest: ClientFiles,
    }
    if body.len() > MAX_MANIFEST {
        return Err(InvalidManifest::TooLong);
    }
    let Body { manifest } = serde_json::from_slice(body).map_err(|_| InvalidManifest::Form)?;
    Ok(Manifest {
        files: manifest.0?,
        stored: BTreeMap::new(),
    })
}

/// The files of a client's manifest. At most [`MAX_FILES`] of them are held in memory.
struct ClientFiles(Result<BTreeMap<String, ManifestFile>, InvalidManifest>);

/// One file of a client's manifest.
#[derive(Deserialize)]
struct ClientFile<'a> {
    #[serde(borrow)]
    hash: Cow<'a, str>,
    size: u64,
}

impl<'de> Deserialize<'de> for ClientFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Files;
        impl<'de> Visitor<'de> for Files {
            type Value = ClientFiles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("files by path")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClientFiles, A::Error> {
                let mut files = BTreeMap::new();
                let mut count = 0_usize;
                let mut invalid = None;
                while files.len() < MAX_FILES
                    && invalid.is_none()
                    && let Some((path, file)) = map.next_entry::<String, ClientFile<'de>>()?
                {
                    count += 1;
                    match client_file(&path, &file) {
                        Ok(file) => {
                            if files.insert(path, file).is_some() {
                                invalid = Some(InvalidManifest::Duplicate);
                            }
                        }
                        Err(error) => invalid = Some(error),
                    }
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count += 1;
                }
                if count > MAX_FILES {
                    invalid = Some(InvalidManifest::TooManyFiles(count));
                }
                Ok(ClientFiles(invalid.map_or(Ok(files), Err)))
            }
        }
        deserializer.deserialize_map(Files)
    }
}

fn client_file(path: &str, file: &ClientFile<'_>) -> Result<ManifestFile, InvalidManifest> {
    if !path.starts_with('/') {
        return Err(InvalidManifest::Path);
    }
    let hash = AssetHash::parse(&file.hash).map_err(|_| InvalidManifest::Hash)?;
    Ok(ManifestFile {
        hash,
        size: file.size,
    })
}
