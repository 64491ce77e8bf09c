//! The description of a bundle in the audit log and in the deployment's record.

use serde_json::Value;

use super::{Metadata, SealedUpload};
use crate::audit;
use crate::bundles::{BundleHead, Digest};

impl SealedUpload {
    /// The digests of the bundle and its modules, and the names of its bindings.
    #[must_use]
    pub fn record(&self) -> audit::Bundle {
        describe(&self.head, &self.digest)
    }
}

fn describe(head: &BundleHead, digest: &Digest) -> audit::Bundle {
    let metadata = Metadata::of_kept(head.metadata.clone());
    audit::Bundle {
        digest: digest.to_string(),
        metadata: Digest::of(Value::Object(head.metadata.clone()).to_string().as_bytes()).to_string(),
        modules: head
            .parts
            .iter()
            .map(|part| audit::Module {
                name: part.name.clone(),
                sha256: part.sha256.to_string(),
                size: part.size,
            })
            .collect(),
        compatibility_date: metadata.text("compatibility_date").map(str::to_owned),
        bindings: bindings(&metadata),
    }
}

fn bindings(metadata: &Metadata) -> Vec<audit::Binding> {
    metadata
        .bindings()
        .map(|binding| audit::Binding {
            name: binding.name.to_owned(),
            kind: binding.kind.to_owned(),
        })
        .collect()
}

/// The description of a bundle that is uploaded with other metadata, whose digest is `digest`.
#[must_use]
pub fn with_metadata(bundle: &audit::Bundle, metadata: &Metadata, digest: &Digest) -> audit::Bundle {
    audit::Bundle {
        metadata: digest.to_string(),
        compatibility_date: metadata.text("compatibility_date").map(str::to_owned),
        bindings: bindings(metadata),
        ..bundle.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundles::StoredPart;

    #[test]
    fn the_record_names_parts_and_bindings() {
        let metadata = br#"{
            "main_module": "index.js", "compatibility_date": "2026-01-01",
            "bindings": [{ "type": "secret_text", "name": "T", "text": "marker" }]
        }"#;
        let head = BundleHead {
            metadata: Metadata::parse(metadata).unwrap().redacted(),
            assets: None,
            parts: vec![StoredPart {
                name: "index.js".to_owned(),
                file_name: None,
                content_type: None,
                size: 3,
                sha256: Digest::of(b"abc"),
                offset: 0,
            }],
        };
        let record = describe(&head, &head.digest());
        assert_eq!(record.digest, head.digest().to_string());
        assert_eq!(
            (record.modules[0].size, record.modules[0].name.as_str()),
            (3, "index.js")
        );
        assert_eq!(record.bindings[0].name, "T");
        assert_eq!(record.compatibility_date.as_deref(), Some("2026-01-01"));
    }
}
