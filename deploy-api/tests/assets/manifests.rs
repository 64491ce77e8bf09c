use std::collections::BTreeMap;
use std::fmt::Write;

use deploy_api::assets::{
    AssetHash, BrokenManifest, InvalidManifest, Location, MAX_FILES, MAX_MANIFEST, Manifest, SessionId,
    read_manifest,
};
use deploy_api::bundles::{AssetFile, AssetManifest, Digest};
use deploy_api::code::Code;
use deploy_api::problem::Problem;
use serde_json::{Value, json};

/// The hash of a number.
pub fn hash(number: usize) -> String {
    format!("{number:032x}")
}

pub fn asset_hash(number: usize) -> AssetHash {
    AssetHash::parse(&hash(number)).unwrap()
}

/// The manifest of a session with the files of these numbers.
pub fn manifest(numbers: impl IntoIterator<Item = usize>) -> Manifest {
    let files: serde_json::Map<_, _> = numbers
        .into_iter()
        .map(|number| {
            (
                format!("/{number}.html"),
                json!({ "hash": hash(number), "size": 1 }),
            )
        })
        .collect();
    read_manifest(json!({ "manifest": files }).to_string().as_bytes()).unwrap()
}

/// A deployment's manifest with these files in use, and these files stored. The stored form is the interface here.
fn deployed(used: impl IntoIterator<Item = usize>, stored: impl IntoIterator<Item = usize>) -> Manifest {
    let session = SessionId::from_bytes([1; 16]);
    let mut json: Value = serde_json::from_slice(&manifest(used).to_stored().unwrap().1).unwrap();
    json["objects"] = json!([session.bucket_key([1; 16]), session.bucket_key([2; 16])]);
    json["types"] = json!(["text/html"]);
    let digest = "A".repeat(43);
    json["stored"] = stored
        .into_iter()
        .map(|number| (hash(number), json!([number % 2, 10, 4, digest, 0])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let bytes = json.to_string().into_bytes();
    Manifest::from_stored(&Digest::of(&bytes), &bytes).unwrap()
}

#[test]
fn the_manifest_of_wrangler_is_read_and_written_for_the_upstream() {
    let body = json!({
        "manifest": {
            "/index.html": { "hash": hash(1), "size": 12 },
            "/ü \"quoted\".html": { "hash": hash(1), "size": 12, "later": true },
        },
        "later": 1,
    });
    let manifest = read_manifest(body.to_string().as_bytes()).unwrap();
    assert_eq!(manifest.files().len(), 2);
    assert_eq!(manifest.total_size(), 24);
    assert_eq!(manifest.files()["/index.html"].hash, asset_hash(1));
    let sent: Value = serde_json::from_slice(&manifest.session_body().unwrap()).unwrap();
    assert_eq!(
        sent,
        json!({ "manifest": {
            "/index.html": { "hash": hash(1), "size": 12 },
            "/ü \"quoted\".html": { "hash": hash(1), "size": 12 },
        } })
    );
    assert_eq!(manifest.to_stored().unwrap().1, manifest.session_body().unwrap());
}

#[test]
fn a_manifest_that_wrangler_does_not_send_is_refused() {
    let good = hash(1);
    for (body, expected) in [
        (String::new(), InvalidManifest::Form),
        ("[]".to_owned(), InvalidManifest::Form),
        ("{}".to_owned(), InvalidManifest::Form),
        (r#"{"manifest": []}"#.to_owned(), InvalidManifest::Form),
        (
            r#"{"manifest": {}, "manifest": {}}"#.to_owned(),
            InvalidManifest::Form,
        ),
        (r#"{"manifest": {}}x"#.to_owned(), InvalidManifest::Form),
        (
            format!(r#"{{"manifest": {{"/a": {{"hash": "{good}"}}}}}}"#),
            InvalidManifest::Form,
        ),
        (
            format!(r#"{{"manifest": {{"/a": {{"hash": "{good}", "size": -1}}}}}}"#),
            InvalidManifest::Form,
        ),
        (
            format!(r#"{{"manifest": {{"/a": {{"hash": "{good}0", "size": 1}}}}}}"#),
            InvalidManifest::Hash,
        ),
        (
            r#"{"manifest": {"/a": {"hash": "../x", "size": 1}}}"#.to_owned(),
            InvalidManifest::Hash,
        ),
        (
            format!(r#"{{"manifest": {{"a": {{"hash": "{good}", "size": 1}}}}}}"#),
            InvalidManifest::Path,
        ),
        (
            format!(r#"{{"manifest": {{"": {{"hash": "{good}", "size": 1}}}}}}"#),
            InvalidManifest::Path,
        ),
        (
            format!(
                r#"{{"manifest": {{"/a": {{"hash": "{good}", "size": 1}}, "/\u0061": {{"hash": "{good}", "size": 2}}}}}}"#
            ),
            InvalidManifest::Duplicate,
        ),
    ] {
        assert_eq!(read_manifest(body.as_bytes()), Err(expected), "{body}");
        assert_eq!(Problem::from(expected).code, Code::UploadMalformed);
    }
    assert_eq!(
        read_manifest(&vec![b' '; MAX_MANIFEST + 1]),
        Err(InvalidManifest::TooLong)
    );
    assert_eq!(Problem::from(InvalidManifest::TooLong).code, Code::UploadTooLarge);
}

/// The body of wrangler with that many files, with paths of 60 bytes.
fn large(count: usize) -> String {
    let mut body = String::from(r#"{"manifest":{"#);
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        let path = format!("/{number:0>50}.woff2x");
        write!(
            body,
            r#"{comma}"{path}":{{"hash":"{}","size":12345}}"#,
            hash(number)
        )
        .unwrap();
    }
    body.push_str("}}");
    body
}

#[test]
fn a_manifest_has_up_to_100_000_files() {
    let body = large(MAX_FILES);
    assert!(body.len() < 14_000_000, "{}", body.len());
    let manifest = read_manifest(body.as_bytes()).unwrap();
    assert_eq!(manifest.files().len(), MAX_FILES);
    assert_eq!(manifest.session_body().unwrap().len(), body.len());
    let error = read_manifest(large(MAX_FILES + 2).as_bytes()).unwrap_err();
    assert_eq!(error, InvalidManifest::TooManyFiles(MAX_FILES + 2));
    assert_eq!(Problem::from(error).code, Code::UploadTooLarge);
}

#[test]
fn the_stored_form_is_compact_and_can_be_parsed() {
    let manifest = deployed(0..MAX_FILES, 0..MAX_FILES);
    let (digest, bytes) = manifest.to_stored().unwrap();
    assert!(bytes.len() < 23_000_000, "{}", bytes.len());
    assert_eq!(Manifest::from_stored(&digest, &bytes).unwrap(), manifest);
    assert_eq!(manifest.to_stored().unwrap().0, digest);
    assert_eq!(manifest.object_keys().len(), 2);
}

#[test]
fn a_damaged_manifest_is_refused() {
    let (digest, bytes) = deployed([1], [1, 2]).to_stored().unwrap();
    let mut damaged = bytes.clone();
    damaged[20] ^= 1;
    assert_eq!(
        Manifest::from_stored(&digest, &damaged),
        Err(BrokenManifest::Digest)
    );
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        json.to_string()
    };
    let row = format!("/stored/{}", hash(1));
    for text in [
        String::new(),
        "{}".to_owned(),
        with("/objects", json!([])),
        with("/types", json!([])),
        with(&format!("{row}/3"), json!("short")),
        with(&row, json!([0, 0])),
        with("/stored", json!({ "x": json[row.split('/').nth(1).unwrap()] })),
    ] {
        let bytes = text.as_bytes();
        assert_eq!(
            Manifest::from_stored(&Digest::of(bytes), bytes),
            Err(BrokenManifest::Form),
            "{text}"
        );
    }
}

#[test]
fn locations_of_the_previous_deployment_are_kept_even_if_they_are_not_used() {
    let previous = deployed([1, 2], [1, 2, 3]);
    let mut next = manifest([2, 4]);
    next.carry_over(&previous);
    assert_eq!(next.stored(), previous.stored());
    // The deployment after the next one needs a file that the next one does not use.
    let mut last = manifest([1]);
    last.carry_over(&next);
    assert!(last.location(&asset_hash(1)).is_some());
    assert!(last.location(&asset_hash(4)).is_none());
}

#[test]
fn a_location_of_the_deployment_itself_is_not_replaced() {
    let mut next = deployed([2], [2]);
    let own = next.location(&asset_hash(2)).cloned();
    next.carry_over(&deployed([2, 3], [3, 2]));
    assert_eq!(next.location(&asset_hash(2)).cloned(), own);
    assert_eq!(next.stored().len(), 2);
}

#[test]
fn at_most_100_000_locations_are_kept_and_files_in_use_first() {
    let end = MAX_FILES;
    // In the order of the hashes, the files in use are the last ones.
    let previous = deployed([end - 2], 0..end);
    let mut next = deployed([end - 1], [end + 5, end + 6]);
    next.carry_over(&previous);
    assert_eq!(next.stored().len(), MAX_FILES);
    for kept in [end - 1, end - 2, end + 5, end + 6, 0] {
        assert!(next.location(&asset_hash(kept)).is_some(), "{kept}");
    }
    assert!(next.location(&asset_hash(end - 3)).is_none());
}

#[test]
fn the_manifest_of_an_old_bundle_is_converted() {
    let file = |number: usize, stored: bool| AssetFile {
        hash: hash(number),
        size: 3,
        sha256: stored.then(|| Digest::of(b"abc")),
        content_type: stored.then(|| "text/html".to_owned()),
    };
    let legacy = AssetManifest(BTreeMap::from([
        ("/a".to_owned(), file(1, true)),
        ("/b".to_owned(), file(2, false)),
    ]));
    let manifest = Manifest::try_from(&legacy).unwrap();
    assert_eq!(manifest.files().len(), 2);
    let location = manifest.location(&asset_hash(1)).unwrap();
    assert!(matches!(location, Location::Legacy { .. }));
    assert_eq!(location.content_type(), Some("text/html"));
    assert_eq!(*location.key(), *format!("sha256/{}", Digest::of(b"abc")));
    assert!(manifest.location(&asset_hash(2)).is_none());
    let (digest, bytes) = manifest.to_stored().unwrap();
    assert_eq!(Manifest::from_stored(&digest, &bytes).unwrap(), manifest);
    let broken = AssetManifest(BTreeMap::from([(
        "/a".to_owned(),
        AssetFile {
            hash: "x".to_owned(),
            ..file(1, true)
        },
    )]));
    assert!(Manifest::try_from(&broken).is_err());
}
