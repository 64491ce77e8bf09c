use std::cell::Cell;

use bytes::Bytes;
use data_encoding::BASE64;
use deploy_api::assets::{BucketFailure, ContentDigest, MAX_BUCKET, MAX_BUCKET_FILES, MAX_FILE, read_bucket};
use deploy_api::bundles::PART;
use deploy_api::code::Code;
use deploy_api::problem::Problem;
use deploy_api::upload::{Source, SourceFailure};
use deploy_api::upstream::Piece;
use futures_executor::block_on;
use proptest::prelude::*;

use super::manifests::{asset_hash, hash};
use super::memory_store::MemoryStore;
use super::wrangler::{FORM_TYPE, form, noise, received, sent, session, upload};

#[test]
fn a_bucket_is_stored_and_its_form_is_what_the_upstream_receives() {
    let store = MemoryStore::default();
    let body = form(&[
        (&hash(1), Some("text/html; charset=utf-8"), "YWJj"),
        (&hash(2), Some("application/null"), ""),
        (&hash(3), None, "YQ=="),
    ]);
    let bucket = upload(&store, 7, &body, 1000).unwrap();
    assert_eq!(bucket.key, session().bucket_key([7; 16]));
    assert_eq!(store.keys(), [session().bucket_key([7; 16])]);
    assert_eq!(
        received(&store, &bucket.body),
        [
            (
                hash(1),
                Some("text/html; charset=utf-8".to_owned()),
                b"abc".to_vec()
            ),
            (hash(2), Some("application/null".to_owned()), Vec::new()),
            (hash(3), None, b"a".to_vec()),
        ]
    );
    let object = store.object(&bucket.key).unwrap();
    let sent = sent(&store, &bucket.body);
    assert!(object.starts_with(&sent) && object.len() > sent.len());
    assert_eq!(bucket.files.iter().map(|file| file.decoded).sum::<u64>(), 4);
    assert_eq!(bucket.files.len(), 3);
    let first = &bucket.files[0];
    assert_eq!((first.hash, first.size, first.decoded), (asset_hash(1), 4, 3));
    assert_eq!(first.sha256, ContentDigest::of(b"YWJj"));
    let start = usize::try_from(first.offset).unwrap();
    assert_eq!(&object[start..start + 4], b"YWJj");
}

#[test]
fn a_small_form_is_sent_from_memory_and_a_large_one_from_the_store() {
    let store = MemoryStore::default();
    for (size, is_small) in [(700_000, true), (800_000, false)] {
        let content = noise(size, 1);
        let body = form(&[(&hash(1), Some("image/png"), &BASE64.encode(&content))]);
        let bucket = upload(&store, 1, &body, 64 * 1024).unwrap();
        let [piece] = bucket.body.pieces() else {
            panic!("the body is one piece");
        };
        match piece {
            Piece::Bytes(_) => assert!(is_small),
            Piece::Stored { key, offset, length } => {
                assert!(!is_small);
                assert_eq!((key, *offset), (&bucket.key, 0));
                assert!(*length < store.object(key).unwrap().len() as u64);
            }
            Piece::Base64 { .. } | Piece::FromBase64 { .. } => panic!("the text is encoded already"),
        }
        assert!(received(&store, &bucket.body) == [(hash(1), Some("image/png".to_owned()), content)]);
    }
}

/// A form with one file, generated while it is read. Fails if too much of it is in memory.
struct LargeForm<'a> {
    store: &'a MemoryStore,
    before: Option<Bytes>,
    text: usize,
    after: Option<Bytes>,
    received: &'a Cell<usize>,
}

impl Source for LargeForm<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        let parts = self
            .store
            .calls()
            .iter()
            .filter(|call| call.starts_with("upload_part"))
            .count();
        assert!(
            self.received.get() <= (parts + 1) * PART + 256 * 1024,
            "a file is buffered in memory"
        );
        if let Some(before) = self.before.take() {
            return Ok(Some(before));
        }
        if self.text == 0 {
            return Ok(self.after.take());
        }
        let chunk = self.text.min(64 * 1024);
        self.text -= chunk;
        self.received.set(self.received.get() + chunk);
        Ok(Some(Bytes::from(vec![b'A'; chunk])))
    }
}

fn upload_large(store: &MemoryStore, text: usize) -> Result<u64, BucketFailure> {
    let received = Cell::new(0);
    let whole = form(&[(&hash(1), None, "|")]);
    let middle = whole.iter().position(|byte| *byte == b'|').unwrap();
    let source = LargeForm {
        store,
        before: Some(Bytes::copy_from_slice(&whole[..middle])),
        text,
        after: Some(Bytes::copy_from_slice(&whole[middle + 1..])),
        received: &received,
    };
    let bucket = block_on(read_bucket(store, &session(), [1; 16], Some(FORM_TYPE), source))?;
    assert!(store.largest() <= PART);
    Ok(bucket.files.iter().map(|file| file.decoded).sum())
}

#[test]
fn a_file_of_25_mib_is_stored_without_buffering_it_in_memory() {
    let store = MemoryStore::default();
    let text = usize::try_from(MAX_FILE).unwrap() / 3 * 4;
    assert_eq!(upload_large(&store, text), Ok(MAX_FILE / 3 * 3));
    assert_eq!(store.keys().len(), 1);
}

#[test]
fn a_file_of_more_than_25_mib_is_refused_before_its_end() {
    let store = MemoryStore::default();
    let text = usize::try_from(MAX_FILE).unwrap() / 3 * 4 + 4;
    let failure = upload_large(&store, text).unwrap_err();
    assert_eq!(failure, BucketFailure::FileTooLarge { hash: asset_hash(1) });
    assert_eq!(Problem::from(failure).code, Code::UploadTooLarge);
    assert_eq!((store.keys().len(), store.open_uploads()), (0, 0));
}

#[test]
fn an_upload_of_more_than_40_mib_is_refused() {
    let store = MemoryStore::default();
    let text = "A".repeat(14 * 1024 * 1024);
    let body = form(&[
        (&hash(1), None, &text),
        (&hash(2), None, &text),
        (&hash(3), None, &text),
    ]);
    assert!(body.len() as u64 > MAX_BUCKET);
    assert_eq!(
        upload(&store, 1, &body, 1 << 20).unwrap_err(),
        BucketFailure::TooLarge
    );
    assert_eq!(Problem::from(BucketFailure::TooLarge).code, Code::UploadTooLarge);
    assert_eq!((store.keys().len(), store.open_uploads()), (0, 0));
}

#[test]
fn an_upload_that_wrangler_does_not_send_is_refused_and_leaves_no_object() {
    let one = hash(1);
    let good = form(&[(&one, None, "YWJj")]);
    let cut = good.len() - 10;
    let long_type = "a".repeat(201);
    for body in [
        Vec::new(),
        b"hello".to_vec(),
        form(&[]),
        form(&[(&one[1..], None, "YWJj")]),
        form(&[("../../manifests/0", None, "YWJj")]),
        form(&[(&one, None, "YWJj"), (&one, None, "YWJj")]),
        form(&[(&one, None, "YWJj"), ("x", None, "YWJj")]),
        form(&[(&one, None, "YWJ")]),
        form(&[(&one, None, "YQ==YWJj")]),
        form(&[(&one, None, "YW\nJ")]),
        form(&[(&one, None, "YW-J")]),
        form(&[(&one, Some(&long_type), "YWJj")]),
        form(&[(&one, Some("text/ü"), "YWJj")]),
        good[..cut].to_vec(),
        good[..good.len() / 2].to_vec(),
    ] {
        for chunk in [1, 7, 100_000] {
            let store = MemoryStore::default();
            let failure = upload(&store, 1, &body, chunk).unwrap_err();
            assert!(
                matches!(failure, BucketFailure::Malformed(_)),
                "{failure:?} for {}",
                String::from_utf8_lossy(&body)
            );
            assert_eq!(Problem::from(failure).code, Code::UploadMalformed);
            assert_eq!((store.keys().len(), store.open_uploads()), (0, 0));
        }
    }
    for content_type in [None, Some("text/plain"), Some("multipart/form-data")] {
        let store = MemoryStore::default();
        let chunks = [Bytes::from(good.clone())].into_iter();
        let read = block_on(read_bucket(&store, &session(), [1; 16], content_type, chunks));
        assert!(
            matches!(read, Err(BucketFailure::Malformed(_))),
            "{content_type:?}"
        );
    }
}

#[test]
fn the_head_of_a_part_has_a_limit() {
    let store = MemoryStore::default();
    let read = Cell::new(0);
    let chunks =
        std::iter::repeat_n(Bytes::from(vec![b'x'; 16 * 1024]), 1000).inspect(|_| read.set(read.get() + 1));
    let failure = block_on(read_bucket(&store, &session(), [1; 16], Some(FORM_TYPE), chunks)).unwrap_err();
    assert_eq!(
        failure,
        BucketFailure::Malformed("the head of a part is too long")
    );
    assert!(read.get() < 10);
}

#[test]
fn an_upload_has_a_limit_of_files() {
    let hashes: Vec<_> = (0..=MAX_BUCKET_FILES).map(hash).collect();
    let parts: Vec<_> = hashes
        .iter()
        .map(|hash| (hash.as_str(), Some("text/css"), "YWJj"))
        .collect();
    let store = MemoryStore::default();
    let bucket = upload(&store, 1, &form(&parts[1..]), 64 * 1024).unwrap();
    assert_eq!(bucket.files.len(), MAX_BUCKET_FILES);
    let failure = upload(&store, 2, &form(&parts), 64 * 1024).unwrap_err();
    assert_eq!(failure, BucketFailure::TooManyFiles);
    assert_eq!(Problem::from(failure).code, Code::UploadTooManyParts);
}

#[test]
fn bytes_after_the_form_are_ignored_and_count_towards_the_limit() {
    let good = form(&[(&hash(1), None, "YWJj")]);
    for (epilogue, expected) in [(100_000, true), (41 << 20, false)] {
        let store = MemoryStore::default();
        let body = [good.clone(), vec![b'x'; epilogue]].concat();
        let read = upload(&store, 1, &body, 1 << 20);
        assert_eq!(read.is_ok(), expected);
        assert_eq!(store.keys().len(), usize::from(expected));
    }
}

struct Interrupted(Option<Bytes>);

impl Source for Interrupted {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        self.0
            .take()
            .map_or(Err(SourceFailure::Interrupted), |chunk| Ok(Some(chunk)))
    }
}

#[test]
fn an_interrupted_upload_leaves_no_object() {
    let store = MemoryStore::default();
    let body = form(&[(&hash(1), None, &"A".repeat(6 * 1024 * 1024))]);
    let source = Interrupted(Some(Bytes::copy_from_slice(&body[..body.len() - 1000])));
    let failure = block_on(read_bucket(&store, &session(), [1; 16], Some(FORM_TYPE), source)).unwrap_err();
    assert!(matches!(failure, BucketFailure::Malformed(_)));
    assert_eq!((store.keys().len(), store.open_uploads()), (0, 0));
}

#[test]
fn a_failure_of_the_store_is_reported() {
    let body = form(&[(&hash(1), None, &"A".repeat(6 * 1024 * 1024))]);
    for failing in 0..4 {
        let store = MemoryStore::default();
        store.fail_after(failing, 2);
        let failure = upload(&store, 1, &body, 64 * 1024).unwrap_err();
        assert!(matches!(failure, BucketFailure::Store(_)), "{failure:?}");
        assert_eq!(Problem::from(failure).code, Code::BundleStoreUnavailable);
        assert_eq!(store.keys().len(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_chunks_of_the_body_make_no_difference(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 1..6),
        chunk in 1..4000_usize,
    ) {
        let hashes: Vec<_> = (0..contents.len()).map(hash).collect();
        let texts: Vec<_> = contents.iter().map(|content| BASE64.encode(content)).collect();
        let parts: Vec<_> = hashes
            .iter()
            .zip(&texts)
            .map(|(hash, text)| (hash.as_str(), Some("a/b"), text.as_str()))
            .collect();
        let store = MemoryStore::default();
        let bucket = upload(&store, 1, &form(&parts), chunk).unwrap();
        let expected: Vec<_> = hashes
            .iter()
            .zip(&contents)
            .map(|(hash, content)| (hash.clone(), Some("a/b".to_owned()), content.clone()))
            .collect();
        prop_assert_eq!(received(&store, &bucket.body), expected);
    }
}
