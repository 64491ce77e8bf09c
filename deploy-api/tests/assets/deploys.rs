use std::collections::BTreeMap;

use deploy_api::assets::{ContentDigest, IndexFailure, Location, deployed_manifest, of_session};
use deploy_api::code::Code;
use deploy_api::problem::Problem;
use futures_executor::block_on;
use jiff::Timestamp;

use super::manifests::{asset_hash, hash, manifest};
use super::memory_store::MemoryStore;
use super::wrangler::{noise, session, upload_files};

fn files(numbers: std::ops::Range<usize>) -> Vec<(String, Vec<u8>)> {
    numbers
        .map(|number| (hash(number), noise(number % 50, 1)))
        .collect()
}

#[test]
fn the_files_of_all_buckets_of_a_session_are_found() {
    let store = MemoryStore::default();
    let first = upload_files(&store, 1, &files(0..3));
    // The index is longer than the first read.
    let second = upload_files(&store, 2, &files(3..1000));
    store.insert("assets/manifests/x", vec![1]);
    store.insert("assets/00000000000000000000000000000000/x", vec![1]);
    let locations = block_on(of_session(&store, &session())).unwrap();
    assert_eq!(locations.len(), 1000);
    for (bucket, number) in [(&first, 2), (&second, 3), (&second, 999)] {
        let entry = bucket
            .files
            .iter()
            .find(|file| file.hash == asset_hash(number))
            .unwrap();
        let expected = Location::Bucket {
            key: bucket.key.as_str().into(),
            offset: entry.offset,
            length: entry.size,
            sha256: entry.sha256,
            content_type: Some("text/html".into()),
        };
        assert_eq!(locations[&asset_hash(number)], expected);
    }
    // The small bucket is read with one request, and no object is read completely.
    let reads = store
        .calls()
        .iter()
        .filter(|call| call.starts_with("get "))
        .count();
    assert_eq!(reads, 3);
    assert!(
        store
            .calls()
            .iter()
            .all(|call| !call.starts_with("get ") || call.contains('+'))
    );
}

#[test]
fn the_newest_upload_of_a_file_counts() {
    let store = MemoryStore::default();
    store.set_time(Timestamp::from_second(2).unwrap());
    let newest = upload_files(&store, 1, &files(1..2));
    store.set_time(Timestamp::from_second(1).unwrap());
    upload_files(&store, 2, &files(1..2));
    let locations = block_on(of_session(&store, &session())).unwrap();
    assert_eq!(*locations[&asset_hash(1)].key(), *newest.key);
}

#[test]
fn an_empty_session_has_no_files_and_pages_of_the_listing_are_followed() {
    let store = MemoryStore::default();
    assert_eq!(block_on(of_session(&store, &session())), Ok(BTreeMap::new()));
    let bucket = upload_files(&store, 1, &files(1..2));
    let bytes = store.object(&bucket.key).unwrap();
    for number in 0..1500 {
        store.insert(&format!("{}{number:032}", session().prefix()), bytes.clone());
    }
    block_on(of_session(&store, &session())).unwrap();
    let lists = store
        .calls()
        .iter()
        .filter(|call| call.starts_with("list "))
        .count();
    assert_eq!(lists, 3);
}

#[test]
fn an_object_that_is_not_a_bucket_is_an_error() {
    let store = MemoryStore::default();
    let bucket = upload_files(&store, 1, &files(1..4));
    let good = store.object(&bucket.key).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let mut cases = vec![
        Vec::new(),
        b"x".to_vec(),
        b"0000000000000000".to_vec(),
        b"[]0000000000000002".to_vec(),
        b"ffffffffffffffff".to_vec(),
        text.replace("\"offset\":", "\"offset\":1").into_bytes(),
        text.replace("\"size\":", "\"size\":1").into_bytes(),
        text.replace("text/html\",\"decoded", "text/css\",\"decoded")
            .into_bytes(),
        [b"x".as_slice(), &good].concat(),
        [good.as_slice(), b"x"].concat(),
    ];
    cases.extend((1..40).map(|cut| good[..good.len() - cut].to_vec()));
    let upper = good.len() - 16;
    let mut spaced = good.clone();
    spaced[upper..].copy_from_slice(b"+000000000000001");
    cases.push(spaced);
    for bytes in cases {
        store.insert(&bucket.key, bytes.clone());
        let failure = block_on(of_session(&store, &session())).unwrap_err();
        let expected = IndexFailure::Broken {
            key: bucket.key.clone(),
        };
        assert_eq!(failure, expected, "{}", String::from_utf8_lossy(&bytes));
        assert_eq!(Problem::from(failure).code, Code::BundleStoreUnavailable);
    }
    store.insert(&bucket.key, good);
    assert_eq!(block_on(of_session(&store, &session())).unwrap().len(), 3);
}

#[test]
fn a_failure_of_the_store_is_reported() {
    for failing in 0..2 {
        let store = MemoryStore::default();
        upload_files(&store, 1, &files(1..4));
        store.fail_after(failing, 1);
        let failure = block_on(of_session(&store, &session())).unwrap_err();
        assert!(matches!(failure, IndexFailure::Store(_)));
    }
}

#[test]
fn the_manifest_of_a_deployment_has_the_location_of_each_file() {
    let store = MemoryStore::default();
    upload_files(&store, 1, &files(1..3));
    let first = deployed_manifest(
        manifest(1..3),
        block_on(of_session(&store, &session())).unwrap(),
        None,
        |_| None,
    );
    assert_eq!(first.manifest.stored().len(), 2);
    assert_eq!(first.object_keys.len(), 1);

    let other = Location::Legacy {
        sha256: ContentDigest::of(b"other"),
        content_type: None,
    };
    // File 2 is in the previous deployment, file 4 is in an old object, file 5 was uploaded, file 6 is not stored. File 9 was
    // also uploaded, but is not in the manifest.
    let uploaded = upload_files(&store, 2, &[(hash(5), vec![5]), (hash(9), vec![9])]);
    let mut locations = block_on(of_session(&store, &session())).unwrap();
    locations.retain(|_, location| *location.key() == *uploaded.key);
    let second = deployed_manifest(manifest([2, 4, 5, 6]), locations, Some(&first.manifest), |hash| {
        assert!([asset_hash(4), asset_hash(6)].contains(hash), "{hash}");
        (*hash == asset_hash(4)).then(|| other.clone())
    });
    let stored: Vec<_> = second.manifest.stored().keys().copied().collect();
    assert_eq!(stored, [1, 2, 4, 5].map(asset_hash));
    assert_eq!(second.manifest.location(&asset_hash(4)), Some(&other));
    assert_eq!(second.manifest.files(), manifest([2, 4, 5, 6]).files());
    assert_eq!(second.object_keys.len(), 3);
    assert!(second.object_keys.contains(&other.key()));
}
