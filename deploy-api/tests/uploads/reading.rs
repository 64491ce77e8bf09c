use deploy_api::bundles::{MemoryStore, PART, Staged};
use deploy_api::upload;
use futures_executor::block_on;

use super::bodies::{CONTENT_TYPE, METADATA, MODULE, SOURCE_MAP, form, read};

/// Compares an upload with the same one read as a whole.
fn assert_same(store: &MemoryStore, body: &[u8], chunk: usize) {
    let whole = block_on(upload::read(Some(CONTENT_TYPE), body.to_vec())).unwrap();
    let sealed = read(store, body.to_vec(), chunk).unwrap();
    assert!(sealed.metadata == whole.metadata);
    assert_eq!(sealed.head.parts.len(), whole.parts.len());
    let contents = match sealed.contents {
        Staged::Memory(bytes) => bytes.to_vec(),
        Staged::Object { key, length } => {
            let object = store.object(&key).unwrap();
            assert_eq!(object.len() as u64, length);
            object
        }
    };
    for (stored, part) in sealed.head.parts.iter().zip(whole.parts) {
        assert_eq!(
            (&stored.name, &stored.file_name, &stored.content_type),
            (&part.name, &part.file_name, &part.content_type)
        );
        assert_eq!(stored.sha256, part.digest());
        let start = usize::try_from(stored.offset).unwrap();
        let end = start + usize::try_from(stored.size).unwrap();
        assert!(contents[start..end] == part.bytes);
    }
}

/// A body whose contents look like boundaries, with the metadata in the middle.
fn tricky() -> Vec<u8> {
    form(&[
        ("index.js", MODULE, b"\r\n--\r\n\r\r\n--\0\xff"),
        METADATA,
        ("empty.txt", "text/plain", b""),
        ("index.js.map", SOURCE_MAP, b"{}\r"),
    ])
}

#[test]
fn a_body_split_at_any_position_is_the_same_upload() {
    let body = tricky();
    let whole = read(&MemoryStore::default(), body.clone(), usize::MAX).unwrap();
    for position in 1..body.len() {
        let store = MemoryStore::default();
        assert_same(&store, &body, position);
        assert_eq!(read(&store, body.clone(), position).unwrap().digest, whole.digest);
    }
}

#[test]
fn a_small_upload_stays_in_memory() {
    let store = MemoryStore::default();
    assert!(matches!(
        read(&store, tricky(), 100).unwrap().contents,
        Staged::Memory(_)
    ));
    assert_eq!(store.calls(), Vec::<String>::new());
}

#[test]
fn a_large_upload_is_stored_in_parts_of_5_mib() {
    let text: Vec<u8> = (0..=250).cycle().take(30 * 1024 * 1024).collect();
    let (first, second) = text.split_at(12_345_678);
    let body = form(&[("index.js", MODULE, first), ("lib.js", MODULE, second), METADATA]);
    let store = MemoryStore::default();
    assert_same(&store, &body, 100_000);
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
