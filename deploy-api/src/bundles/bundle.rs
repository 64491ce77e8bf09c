use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::{AssetManifest, Digest};
use crate::audit;
use crate::upload::{Metadata, Part, Upload};

/// The version of the format, the first member of the head.
const FORMAT: u32 = 1;

/// Everything that is needed to ship a deployment again, without its secrets.
///
/// It is stored as one line of JSON (the head: redacted metadata, static assets, and the modules' names, types, lengths
/// and digests) and the modules' very bytes after it, under the SHA-256 of all of that. Secrets are left out and not
/// encrypted: whoever ships a bundle again keeps the secrets that are set upstream (`keep_bindings`), so that a rollback
/// never brings back a secret that was rotated, and a stolen bundle gives away none.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// The redacted metadata.
    pub metadata: Map<String, Value>,
    /// The static assets, whose contents are stored by themselves; nothing for a Worker without any.
    pub assets: Option<AssetManifest>,
    /// The modules and source maps.
    pub parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    metadata: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assets: Option<AssetManifest>,
    parts: Vec<PartHead>,
}

#[derive(Serialize, Deserialize)]
struct PartHead {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    size: usize,
    sha256: Digest,
}

/// The stored bytes are no bundle, or not the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BrokenBundle {
    /// Their digest is another.
    #[error("the stored bytes have another digest")]
    Digest,
    /// The head cannot be read, or does not fit what follows it.
    #[error("the stored bytes are no bundle")]
    Form,
}

impl Bundle {
    /// The bundle of an upload.
    #[must_use]
    pub fn of(upload: &Upload, assets: Option<AssetManifest>) -> Self {
        Self {
            metadata: upload.metadata.redacted(),
            assets,
            parts: upload.parts.clone(),
        }
    }

    /// The bytes to be stored, and their digest.
    ///
    /// # Errors
    /// When the head is nothing that JSON has; what was read as JSON always is.
    pub fn pack(&self) -> Result<(Digest, Vec<u8>), serde_json::Error> {
        let head = Head {
            format: FORMAT,
            metadata: self.metadata.clone(),
            assets: self.assets.clone(),
            parts: self.parts.iter().map(PartHead::of).collect(),
        };
        let mut bytes = serde_json::to_vec(&head)?;
        bytes.reserve_exact(1 + self.parts.iter().map(|part| part.bytes.len()).sum::<usize>());
        bytes.push(b'\n');
        for part in &self.parts {
            bytes.extend_from_slice(&part.bytes);
        }
        Ok((Digest::of(&bytes), bytes))
    }

    /// Reads stored bytes, and checks that they are those of the digest.
    ///
    /// # Errors
    /// When they are not.
    pub fn unpack(digest: &Digest, stored: Vec<u8>) -> Result<Self, BrokenBundle> {
        if Digest::of(&stored) != *digest {
            return Err(BrokenBundle::Digest);
        }
        let mut rest = Bytes::from(stored);
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or(BrokenBundle::Form)?;
        let head: Head =
            serde_json::from_slice(rest.get(..end).unwrap_or_default()).map_err(|_| BrokenBundle::Form)?;
        if head.format != FORMAT {
            return Err(BrokenBundle::Form);
        }
        let mut rest = rest.split_off(end + 1);
        let mut parts = Vec::new();
        for part in head.parts {
            if part.size > rest.len() {
                return Err(BrokenBundle::Form);
            }
            parts.push(Part {
                name: part.name,
                file_name: part.file_name,
                content_type: part.content_type,
                bytes: rest.split_to(part.size),
            });
        }
        if !rest.is_empty() {
            return Err(BrokenBundle::Form);
        }
        Ok(Self {
            metadata: head.metadata,
            assets: head.assets,
            parts,
        })
    }

    /// What goes on record of it.
    #[must_use]
    pub fn record(&self, digest: &Digest) -> audit::Bundle {
        let metadata = Metadata::of_kept(self.metadata.clone());
        audit::Bundle {
            digest: digest.to_string(),
            metadata: Digest::of(Value::Object(self.metadata.clone()).to_string().as_bytes()).to_string(),
            modules: self
                .parts
                .iter()
                .map(|part| audit::Module {
                    name: part.name.clone(),
                    sha256: part.digest().to_string(),
                    size: u64::try_from(part.bytes.len()).unwrap_or(u64::MAX),
                })
                .collect(),
            compatibility_date: metadata.text("compatibility_date").map(str::to_owned),
            bindings: metadata
                .bindings()
                .map(|binding| audit::Binding {
                    name: binding.name.to_owned(),
                    kind: binding.kind.to_owned(),
                })
                .collect(),
        }
    }
}

impl PartHead {
    fn of(part: &Part) -> Self {
        Self {
            name: part.name.clone(),
            file_name: part.file_name.clone(),
            content_type: part.content_type.clone(),
            size: part.bytes.len(),
            sha256: part.digest(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        let part = |name: &str, bytes: &'static [u8]| Part {
            name: name.to_owned(),
            file_name: Some(name.to_owned()),
            content_type: Some("application/wasm".to_owned()),
            bytes: Bytes::from_static(bytes),
        };
        let upload = Upload {
            metadata: Metadata::parse(
                br#"{"bindings": [{"type": "secret_text", "name": "T", "text": "marker"}]}"#,
            )
            .unwrap(),
            parts: vec![part("a", b"line\n\xff\0"), part("b", b""), part("c", b"\n\n")],
        };
        Bundle::of(&upload, None)
    }

    #[test]
    fn the_very_bytes_come_back() {
        let bundle = bundle();
        let (digest, stored) = bundle.pack().unwrap();
        assert_eq!(bundle.pack().unwrap().0, digest, "the same bundle has one digest");
        assert!(!String::from_utf8_lossy(&stored).contains("marker"));
        assert_eq!(Bundle::unpack(&digest, stored), Ok(bundle));
    }

    #[test]
    fn what_was_damaged_is_not_shipped() {
        let (digest, stored) = bundle().pack().unwrap();
        let mut damaged = stored.clone();
        damaged.pop();
        assert_eq!(
            Bundle::unpack(&digest, damaged.clone()),
            Err(BrokenBundle::Digest)
        );
        for bytes in [damaged, [stored, vec![0]].concat(), b"{}\n".to_vec(), Vec::new()] {
            assert_eq!(
                Bundle::unpack(&Digest::of(&bytes), bytes),
                Err(BrokenBundle::Form)
            );
        }
    }
}
