use deploy_api::bundles::{
    AssetManifest, BrokenBundle, Digest, OpenFailure, PART, Staged, StoredAssets, StoredBundle, bundle_key,
    open,
};
use deploy_api::upload::{Metadata, SealedUpload, StreamOptions};
use futures_executor::block_on;
use serde_json::json;

use super::bodies::{METADATA, MODULE, chunks, form, noise, part_bytes, read_source};
use super::memory_store::MemoryStore;

/// A stored upload and its key.
fn stored(store: &MemoryStore, length: usize) -> (String, SealedUpload) {
    let content = vec![b'x'; length];
    let parts = [
        METADATA,
        ("index.js", MODULE, content.as_slice()),
        ("empty.js", MODULE, b""),
        ("c.js", MODULE, b"abc"),
    ];
    let source = chunks(form(&parts), 60_000);
    let assets = Some(json!({ "manifest": "m", "sha256": "s" }));
    let sealed = read_source(store, source, StreamOptions::default(), assets).unwrap();
    let key = match &sealed.contents {
        Staged::Memory(bytes) => {
            let key = bundle_key(&sealed.digest);
            store.insert(&key, bytes.to_vec());
            key
        }
        Staged::Object { key, .. } => key.clone(),
    };
    (key, sealed)
}

fn opened(store: &MemoryStore, key: &str, digest: &Digest) -> Result<StoredBundle, OpenFailure> {
    let size = store.object(key).map(|object| object.len() as u64);
    block_on(open(store, key, digest, size))
}

#[test]
fn a_stored_upload_is_opened_and_verified() {
    for length in [10, 100_000, 11 * 1024 * 1024] {
        let store = MemoryStore::default();
        let (key, sealed) = stored(&store, length);
        let before = store.calls().len();
        let bundle = opened(&store, &key, &sealed.digest).unwrap();
        assert_eq!(store.calls().len() - before, 1, "the head is near the end");
        assert_eq!(bundle.metadata, sealed.head.metadata);
        assert_eq!(bundle.parts, sealed.head.parts);
        assert_eq!(
            bundle.assets,
            Some(StoredAssets::Reference(json!({ "manifest": "m", "sha256": "s" })))
        );
        assert_eq!(bundle.contents().length(), sealed.contents.length());
        block_on(bundle.verify_parts(&store)).unwrap();
        assert!(store.largest() <= PART);
    }
}

#[test]
fn a_bundle_without_a_known_size_is_opened() {
    let store = MemoryStore::default();
    let (key, sealed) = stored(&store, 10);
    assert!(block_on(open(&store, &key, &sealed.digest, None)).is_ok());
    assert_eq!(
        block_on(open(&store, "staging/2", &sealed.digest, None)),
        Err(OpenFailure::Missing)
    );
    assert_eq!(
        block_on(open(&store, "staging/2", &sealed.digest, Some(9))),
        Err(OpenFailure::Missing)
    );
}

#[test]
fn a_long_head_is_read_with_a_second_read() {
    let store = MemoryStore::default();
    let names: Vec<String> = (0..900)
        .map(|index| format!("{index}-{}.js", "n".repeat(100)))
        .collect();
    let mut parts = vec![("index.js", MODULE, &b"1"[..]), METADATA];
    parts.extend(names.iter().map(|name| (name.as_str(), MODULE, &b"2"[..])));
    let sealed = read_source(
        &store,
        chunks(form(&parts), 60_000),
        StreamOptions::default(),
        None,
    )
    .unwrap();
    let Staged::Memory(bytes) = &sealed.contents else {
        panic!("a small upload is in memory")
    };
    store.insert("bundles/x", bytes.to_vec());
    let bundle = opened(&store, "bundles/x", &sealed.digest).unwrap();
    assert_eq!(store.calls().len(), 2);
    assert_eq!(bundle.parts.len(), 901);
}

#[test]
fn every_damaged_byte_is_detected() {
    let store = MemoryStore::default();
    let (key, sealed) = stored(&store, 10);
    let object = store.object(&key).unwrap();
    for position in 0..object.len() {
        let mut damaged = object.clone();
        damaged[position] ^= 1;
        store.insert(&key, damaged);
        let result =
            opened(&store, &key, &sealed.digest).and_then(|bundle| block_on(bundle.verify_parts(&store)));
        assert!(
            matches!(result, Err(OpenFailure::Broken(_))),
            "{position}: {result:?}"
        );
    }
    for length in 0..object.len() {
        store.insert(&key, object[..length].to_vec());
        let result = opened(&store, &key, &sealed.digest);
        assert!(
            matches!(result, Err(OpenFailure::Broken(_))),
            "{length}: {result:?}"
        );
    }
    store.insert(&key, [b"x".to_vec(), object].concat());
    assert_eq!(
        opened(&store, &key, &sealed.digest),
        Err(OpenFailure::Broken(BrokenBundle::Form))
    );
}

/// A bundle of format 1 with a part of this size in bytes, as earlier versions stored it: the head as one line of JSON, and the
/// bytes of the parts. Returns its key, its digest and the contents of its parts.
fn first_format(store: &MemoryStore, length: usize) -> (String, Digest, [Vec<u8>; 2]) {
    let contents = [noise(length), b"line\n".to_vec()];
    let part = |name: &str, content: &[u8]| {
        json!({
            "name": name, "content_type": MODULE, "size": content.len(), "sha256": Digest::of(content).as_str(),
        })
    };
    let head = json!({
        "format": 1,
        "metadata": Metadata::parse(METADATA.2).unwrap().redacted(),
        "assets": {},
        "parts": [part("index.js", &contents[0]), part("b.js", &contents[1])],
    });
    let bytes = [format!("{head}\n").as_bytes(), &contents[0], &contents[1]].concat();
    let digest = Digest::of(&bytes);
    let key = format!("sha256/{digest}");
    store.insert(&key, bytes);
    (key, digest, contents)
}

#[test]
fn bundles_of_the_earlier_format_are_opened_and_verified() {
    for length in [10, 9 * 1024 * 1024] {
        let store = MemoryStore::default();
        let (key, digest, contents) = first_format(&store, length);
        let opened = opened(&store, &key, &digest).unwrap();
        assert_eq!(opened.metadata, Metadata::parse(METADATA.2).unwrap().redacted());
        assert_eq!(
            opened.assets,
            Some(StoredAssets::Manifest(AssetManifest::default()))
        );
        let object = store.object(&key).unwrap();
        let names: Vec<_> = opened.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["index.js", "b.js"]);
        for (stored, content) in opened.parts.iter().zip(&contents) {
            assert_eq!(
                (stored.sha256.clone(), stored.file_name.as_deref()),
                (Digest::of(content), None)
            );
            assert_eq!(stored.content_type.as_deref(), Some(MODULE));
            assert!(part_bytes(&object, stored) == *content);
        }
        block_on(opened.verify_parts(&store)).unwrap();
        let mut damaged = object;
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        store.insert(&key, damaged);
        assert_eq!(
            block_on(opened.verify_parts(&store)),
            Err(OpenFailure::Broken(BrokenBundle::Digest))
        );
    }
}

#[test]
fn a_damaged_bundle_of_the_earlier_format_is_not_opened() {
    let store = MemoryStore::default();
    let (key, digest, _) = first_format(&store, 10);
    for bytes in [Vec::new(), b"{}".to_vec(), b"{}\n".to_vec()] {
        store.insert(&key, bytes);
        assert!(matches!(
            opened(&store, &key, &digest),
            Err(OpenFailure::Broken(_))
        ));
    }
}
