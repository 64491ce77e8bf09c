use bytes::Bytes;
use data_encoding::BASE64;
use deploy_api::assets::{
    AssetHash, BucketFailure, ContentDigest, Location, MAX_FILE, ManifestFile, SEARCHED_PART, SingleFile,
    find_file, manifest_key, of_session, read_manifest, read_single_file,
};
use deploy_api::bundles::{Digest, PART};
use deploy_api::code::Code;
use deploy_api::problem::Problem;
use deploy_api::upstream::Piece;
use futures_executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::manifests::{asset_hash, hash};
use super::memory_store::MemoryStore;
use super::wrangler::{form, noise, sent, session, upload};

/// Uploads the content in chunks of that length, as the file with number 1 of that size.
fn upload_single(
    store: &MemoryStore,
    size: u64,
    content_type: Option<&str>,
    content: &[u8],
    chunk: usize,
) -> Result<SingleFile, BucketFailure> {
    let file = ManifestFile {
        hash: asset_hash(1),
        size,
    };
    let chunks = content.chunks(chunk).map(Bytes::copy_from_slice);
    block_on(read_single_file(
        store,
        &session(),
        [1; 16],
        file,
        content_type,
        chunks,
    ))
}

#[test]
fn a_single_file_is_stored_in_the_same_form_as_a_bucket_and_sent_as_it_is() {
    for (content, chunk) in [(&b""[..], 1), (b"a", 1), (b"abcd", 1), (b"abcdefgh", 3)] {
        let (store, buckets) = (MemoryStore::default(), MemoryStore::default());
        let size = content.len() as u64;
        let single = upload_single(&store, size, Some("text/css; charset=utf-8"), content, chunk).unwrap();
        let text = BASE64.encode(content);
        let body = form(&[(&hash(1), Some("text/css; charset=utf-8"), &text)]);
        let bucket = upload(&buckets, 1, &body, 100).unwrap();
        assert_eq!(single.key, bucket.key);
        assert_eq!(vec![single.file], bucket.files);
        assert_eq!(store.object(&single.key), buckets.object(&bucket.key));
        assert_eq!(sent(&store, &single.body), content);
        assert_eq!(single.content_type, "text/css; charset=utf-8");
        let located = block_on(of_session(&store, &session())).unwrap();
        let Some(Location::Bucket { sha256, .. }) = located.get(&asset_hash(1)) else {
            panic!("the file is located: {located:?}");
        };
        assert_eq!(*sha256, ContentDigest::of(text.as_bytes()));
    }
}

#[test]
fn a_small_file_is_sent_from_memory_and_a_large_one_is_decoded_from_the_store() {
    let store = MemoryStore::default();
    for (size, is_small) in [(1 << 20, true), ((1 << 20) + 1, false), (8 << 20, false)] {
        let content = noise(size, 1);
        let single = upload_single(&store, size as u64, None, &content, 64 * 1024).unwrap();
        let [piece] = single.body.pieces() else {
            panic!("the body is one piece");
        };
        assert_eq!(matches!(piece, Piece::Bytes(_)), is_small);
        assert_eq!(matches!(piece, Piece::FromBase64 { .. }), !is_small);
        assert_eq!(single.content_type, "application/null");
        assert!(sent(&store, &single.body) == content);
        assert!(store.largest() <= PART);
    }
}

#[test]
fn a_file_of_another_size_than_in_the_manifest_is_refused_and_leaves_no_object() {
    let content = noise(8 << 20, 1);
    for size in [0, 1, (8 << 20) - 1, (8 << 20) + 1, MAX_FILE] {
        let store = MemoryStore::default();
        let failure = upload_single(&store, size, None, &content, 64 * 1024).unwrap_err();
        let hash = asset_hash(1);
        assert_eq!(failure, BucketFailure::WrongSize { hash, size });
        assert_eq!(Problem::from(failure).code, Code::UploadMalformed);
        assert_eq!((store.keys().len(), store.open_uploads()), (0, 0));
    }
}

#[test]
fn a_file_of_more_than_25_mib_and_an_unreadable_content_type_are_refused() {
    let store = MemoryStore::default();
    let failure = upload_single(&store, MAX_FILE + 1, None, b"", 1).unwrap_err();
    assert_eq!(Problem::from(failure).code, Code::UploadTooLarge);
    for content_type in ["text/ü", "a\r\nb", &"a".repeat(201)] {
        let failure = upload_single(&store, 1, Some(content_type), b"a", 1).unwrap_err();
        assert!(matches!(failure, BucketFailure::Malformed(_)), "{content_type}");
    }
    assert!(store.keys().is_empty());
}

/// Stores the manifest of a session with that many files, whose paths try to look like other files.
fn stored_manifest(store: &MemoryStore, files: usize) -> Digest {
    let files: serde_json::Map<String, Value> = (0..files)
        .map(|number| {
            let path = format!("/{number}\"hash\":\"{}\",\"size\":7}}", hash(number + 1_000_000));
            (path, json!({ "hash": hash(number), "size": number }))
        })
        .collect();
    let manifest = read_manifest(json!({ "manifest": files }).to_string().as_bytes()).unwrap();
    let (digest, bytes) = manifest.to_stored().unwrap();
    store.insert(&manifest_key(&digest), bytes);
    digest
}

#[test]
fn a_file_is_found_in_a_manifest_of_any_size() {
    let store = MemoryStore::default();
    let digest = stored_manifest(&store, 10_000);
    let size = store.object(&manifest_key(&digest)).unwrap().len() as u64;
    assert!(size > 4 * SEARCHED_PART);
    let find = |hash: AssetHash| block_on(find_file(&store, &digest, &hash)).unwrap();
    for number in (0..10_000).step_by(997).chain([9_999]) {
        let found = find(asset_hash(number)).unwrap();
        assert_eq!(
            (found.hash, found.size),
            (asset_hash(number), u64::try_from(number).unwrap())
        );
    }
    assert_eq!(find(asset_hash(10_000)), None);
    assert_eq!(find(asset_hash(1_000_001)), None, "a path is not a file");
    assert!(store.largest() as u64 <= SEARCHED_PART);
    let unknown = Digest::of(b"unknown");
    assert_eq!(block_on(find_file(&store, &unknown, &asset_hash(1))), Ok(None));
    let problem = Problem::from(BucketFailure::UnknownFile { hash: asset_hash(1) });
    assert_eq!(problem.code, Code::UploadMalformed);
}

proptest! {
    #[test]
    fn every_content_is_stored_alike_in_chunks_of_any_length(
        size in 0..300_000_usize,
        seed in any::<u64>(),
        chunk in 1..200_000_usize,
    ) {
        let content = noise(size, seed);
        let store = MemoryStore::default();
        let single = upload_single(&store, content.len() as u64, None, &content, chunk.max(content.len() / 1000)).unwrap();
        let object = store.object(&single.key).unwrap();
        let start = usize::try_from(single.file.offset).unwrap();
        let text = &object[start..start + usize::try_from(single.file.size).unwrap()];
        prop_assert!(BASE64.decode(text).unwrap() == content);
    }
}
