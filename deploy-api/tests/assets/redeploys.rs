use std::collections::BTreeMap;

use deploy_api::assets::{MAX_FILE, Manifest, RedeployFailure, Redeployment, deployed_manifest, of_session};
use deploy_api::bundles::{AssetFile, AssetManifest, Digest, ObjectStore};
use deploy_api::code::Code;
use deploy_api::problem::Problem;
use deploy_api::upstream::{Piece, UpstreamBody};
use futures_executor::block_on;

use super::manifests::{asset_hash, hash, manifest};
use super::memory_store::MemoryStore;
use super::wrangler::{noise, received, session, upload_files};

/// Two buckets with the files 0 to 9 and 10 to 19.
fn deployed(store: &MemoryStore) -> Manifest {
    for (id, numbers) in [(1, 0..10), (2, 10..20)] {
        let files: Vec<_> = numbers.map(|number| (hash(number), content(number))).collect();
        upload_files(store, id, &files);
    }
    let locations = block_on(of_session(store, &session())).unwrap();
    deployed_manifest(manifest(0..20), locations, None, |_| None).manifest
}

fn content(number: usize) -> Vec<u8> {
    noise(number * 10, number as u64)
}

fn body(
    store: &MemoryStore,
    manifest: &Manifest,
    numbers: &[usize],
) -> Result<UpstreamBody, RedeployFailure> {
    let hashes: Vec<_> = numbers.iter().map(|number| hash(*number)).collect();
    block_on(Redeployment::new(store, manifest).body(&hashes))
}

fn legacy(files: &[(usize, &[u8])]) -> (MemoryStore, Manifest) {
    let store = MemoryStore::default();
    let mut manifest = BTreeMap::new();
    for (number, content) in files {
        let digest = Digest::of(content);
        store.insert(&format!("sha256/{digest}"), content.to_vec());
        let file = AssetFile {
            hash: hash(*number),
            // The content type that the client sent. It may be wrong.
            size: 1,
            sha256: Some(digest),
            content_type: (number % 2 == 0).then(|| "text/html".to_owned()),
        };
        manifest.insert(format!("/{number}"), file);
    }
    (store, Manifest::try_from(&AssetManifest(manifest)).unwrap())
}

#[test]
fn any_group_of_stored_files_can_be_uploaded_again() {
    let store = MemoryStore::default();
    let manifest = deployed(&store);
    for numbers in [&[3][..], &[0, 1, 2], &[9, 10], &[2, 4, 6, 19], &[19, 0], &[7, 7]] {
        let body = body(&store, &manifest, numbers).unwrap();
        let mut expected: Vec<_> = numbers
            .iter()
            .map(|number| (hash(*number), Some("text/html".to_owned()), content(*number)))
            .collect();
        expected.sort();
        expected.dedup();
        let mut received = received(&store, &body);
        received.sort();
        assert_eq!(received, expected);
    }
}

#[test]
fn adjacent_files_are_one_piece() {
    let store = MemoryStore::default();
    let manifest = deployed(&store);
    let pieces = |numbers: &[usize]| {
        let body = body(&store, &manifest, numbers).unwrap();
        body.pieces()
            .iter()
            .filter(|piece| matches!(piece, Piece::Stored { .. }))
            .count()
    };
    assert_eq!(pieces(&(0..10).collect::<Vec<_>>()), 1);
    assert_eq!(pieces(&(0..20).collect::<Vec<_>>()), 2);
    assert_eq!(pieces(&[1, 2, 4, 5]), 2);
}

#[test]
fn an_object_is_checked_once_for_all_buckets() {
    let store = MemoryStore::default();
    let manifest = deployed(&store);
    let mut redeployment = Redeployment::new(&store, &manifest);
    for numbers in [[1, 11], [2, 12]] {
        block_on(redeployment.body(&numbers.map(hash))).unwrap();
    }
    let heads = store
        .calls()
        .iter()
        .filter(|call| call.starts_with("head "))
        .count();
    assert_eq!(heads, 2);
}

#[test]
fn an_asset_of_an_earlier_version_is_uploaded_again_up_to_25_mib() {
    for size in [0, 1, 8_388_607, 8_388_608, usize::try_from(MAX_FILE).unwrap()] {
        let content = noise(size, 3);
        let (store, manifest) = legacy(&[(1, &content)]);
        let body = body(&store, &manifest, &[1]).unwrap();
        assert!(
            received(&store, &body) == [(hash(1), Some("application/null".to_owned()), content)],
            "{size}"
        );
        assert!(store.calls().iter().all(|call| call.starts_with("head ")));
    }
    let (store, manifest) = legacy(&[(1, &vec![0; usize::try_from(MAX_FILE).unwrap() + 1])]);
    let hash = asset_hash(1);
    assert_eq!(body(&store, &manifest, &[1]), Err(RedeployFailure::Gone { hash }));
}

#[test]
fn assets_of_both_kinds_can_be_in_one_bucket() {
    let (store, old) = legacy(&[(30, b"thirty"), (31, b"thirty-one"), (32, b"thirty-two")]);
    let mut manifest = deployed(&store);
    manifest.carry_over(&old);
    let body = body(&store, &manifest, &[30, 5, 32, 31]).unwrap();
    let mut received = received(&store, &body);
    received.sort();
    let html = || Some("text/html".to_owned());
    assert_eq!(
        received,
        [
            (hash(5), html(), content(5)),
            (hash(30), html(), b"thirty".to_vec()),
            (
                hash(31),
                Some("application/null".to_owned()),
                b"thirty-one".to_vec()
            ),
            (hash(32), html(), b"thirty-two".to_vec()),
        ]
    );
    // The texts between the contents are one piece each.
    assert!(
        body.pieces()
            .windows(2)
            .all(|pair| { !matches!(pair, [Piece::Bytes(_), Piece::Bytes(_)]) })
    );
}

#[test]
fn a_file_that_was_not_uploaded_through_the_api_is_named() {
    let store = MemoryStore::default();
    let manifest = deployed(&store);
    let failure = body(&store, &manifest, &[1, 99]).unwrap_err();
    assert_eq!(failure, RedeployFailure::NeverStored { hash: hash(99) });
    let problem = Problem::from(failure);
    assert_eq!(problem.code, Code::BundleMissing);
    assert!(problem.detail.contains(&hash(99)), "{}", problem.detail);
    assert!(
        problem.detail.starts_with("The static asset"),
        "{}",
        problem.detail
    );
    let hostile = ["<script>\n".repeat(100)];
    let failure = block_on(Redeployment::new(&store, &manifest).body(&hostile)).unwrap_err();
    assert!(Problem::from(failure).detail.len() < 200);
}

#[test]
fn a_file_whose_object_is_missing_or_too_short_is_named() {
    let store = MemoryStore::default();
    let manifest = deployed(&store);
    let location = manifest.location(&asset_hash(15)).unwrap().clone();
    let key = location.key();
    let bytes = store.object(&key).unwrap();
    store.insert(&key, bytes[..bytes.len() / 4].to_vec());
    let gone = RedeployFailure::Gone { hash: asset_hash(19) };
    assert_eq!(body(&store, &manifest, &[1, 19]), Err(gone.clone()));
    block_on(store.delete(&[key.to_string()])).unwrap();
    assert_eq!(body(&store, &manifest, &[1, 19]), Err(gone.clone()));
    assert!(body(&store, &manifest, &[1]).is_ok());
    assert_eq!(Problem::from(gone).code, Code::BundleMissing);
}

#[test]
fn a_failure_of_the_store_is_not_a_missing_file() {
    let store = MemoryStore::default();
    let manifest = deployed(&store);
    store.fail_after(0, 1);
    let failure = body(&store, &manifest, &[1]).unwrap_err();
    assert_eq!(Problem::from(failure).code, Code::BundleStoreUnavailable);
}
