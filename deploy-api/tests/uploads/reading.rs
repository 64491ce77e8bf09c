use deploy_api::bundles::{Digest, PART, Staged};
use deploy_api::upload::Metadata;

use super::bodies::{METADATA, MODULE, PartOf, SOURCE_MAP, contents, form, part_bytes, read};
use super::memory_store::MemoryStore;

/// Reads a form in chunks and compares the upload with the parts of the form.
fn assert_same(store: &MemoryStore, parts: &[PartOf<'_>], chunk: usize) {
    let sealed = read(store, form(parts), chunk).unwrap();
    assert!(sealed.metadata == Metadata::parse(METADATA.2).unwrap());
    let contents = contents(store, &sealed);
    let modules: Vec<_> = parts.iter().filter(|(name, ..)| *name != METADATA.0).collect();
    assert_eq!(sealed.head.parts.len(), modules.len());
    for (stored, (name, content_type, content)) in sealed.head.parts.iter().zip(modules) {
        assert_eq!(stored.name, *name);
        assert_eq!(stored.file_name.as_deref(), Some(*name));
        assert_eq!(stored.content_type.as_deref(), Some(*content_type));
        assert_eq!(stored.sha256, Digest::of(content));
        assert!(part_bytes(&contents, stored) == *content);
    }
}

/// Parts whose contents look like boundaries, with the metadata in the middle.
const TRICKY: &[PartOf<'static>] = &[
    ("index.js", MODULE, b"\r\n--\r\n\r\r\n--\0\xff"),
    METADATA,
    ("empty.txt", "text/plain", b""),
    ("index.js.map", SOURCE_MAP, b"{}\r"),
];

#[test]
fn a_body_split_at_any_position_is_the_same_upload() {
    let body = form(TRICKY);
    let whole = read(&MemoryStore::default(), body.clone(), usize::MAX).unwrap();
    for position in 1..body.len() {
        let store = MemoryStore::default();
        assert_same(&store, TRICKY, position);
        assert_eq!(read(&store, body.clone(), position).unwrap().digest, whole.digest);
    }
}

#[test]
fn a_small_upload_stays_in_memory() {
    let store = MemoryStore::default();
    assert!(matches!(
        read(&store, form(TRICKY), 100).unwrap().contents,
        Staged::Memory(_)
    ));
    assert_eq!(store.calls(), Vec::<String>::new());
}

#[test]
fn a_large_upload_is_stored_in_parts_of_5_mib() {
    let text: Vec<u8> = (0..=250).cycle().take(30 * 1024 * 1024).collect();
    let (first, second) = text.split_at(12_345_678);
    let parts = [("index.js", MODULE, first), ("lib.js", MODULE, second), METADATA];
    let store = MemoryStore::default();
    assert_same(&store, &parts, 100_000);
    assert!(store.largest() <= PART, "{}", store.largest());
    assert_eq!(store.open_uploads(), 0);
    assert_eq!(store.keys(), ["staging/1"]);
}

#[test]
fn secrets_do_not_reach_the_store() {
    let store = MemoryStore::default();
    let large = vec![b'a'; 2 * 1024 * 1024];
    let sealed = read(&store, form(&[METADATA, ("index.js", MODULE, &large)]), 10_000).unwrap();
    let object = store.object("staging/1").unwrap();
    assert!(!object.windows(6).any(|bytes| bytes == b"marker"));
    assert!(!format!("{sealed:?}").contains("marker"));
    assert!(sealed.metadata.to_json().contains("marker"));
}

#[test]
fn the_digest_of_a_bundle_does_not_depend_on_the_values_of_secrets() {
    let digest = |text: &str| {
        let metadata = String::from_utf8(METADATA.2.to_vec())
            .unwrap()
            .replace("marker", text);
        let parts = [
            ("metadata", METADATA.1, metadata.as_bytes()),
            ("index.js", MODULE, b"1"),
        ];
        read(&MemoryStore::default(), form(&parts), 100).unwrap().digest
    };
    assert_eq!(digest("marker-1"), digest("marker-2"));
}
