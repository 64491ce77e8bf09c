use bytes::Bytes;
use deploy_api::bundles::PART;
use deploy_api::code::Code;
use deploy_api::upload::{
    MAX_COMPRESSED, MAX_COMPRESSED_MAPS, MAX_PARTS, MAX_SCRIPT, MAX_UPLOAD, Source, SourceFailure,
    StreamOptions,
};

use super::bodies::{
    METADATA, MODULE, PartOf, SOURCE_MAP, chunks, form, noise, part_head, read, read_source,
};
use super::memory_store::MemoryStore;

const MIB: usize = 1024 * 1024;

/// Repeats one chunk after a head, without an end, and counts the chunks.
fn endless(head: String, count: &mut usize) -> impl Source {
    let chunk = Bytes::from(vec![b'a'; MIB]);
    std::iter::once(Bytes::from(head)).chain(std::iter::from_fn(move || {
        *count += 1;
        Some(chunk.clone())
    }))
}

#[test]
fn reading_stops_at_the_limit_and_discards_the_parts() {
    let (store, mut count) = (MemoryStore::default(), 0);
    for (content_type, limit, read) in [
        (MODULE, "67108864 bytes", MAX_SCRIPT / MIB + 1),
        (SOURCE_MAP, "100 MB", MAX_UPLOAD / MIB + 1),
    ] {
        let source = endless(part_head("part", content_type), &mut count);
        let problem = read_source(&store, source, StreamOptions::default(), None).unwrap_err();
        assert_eq!(problem.code, Code::UploadTooLarge);
        assert!(problem.detail.contains(limit), "{}", problem.detail);
        assert!((read - 1..=read).contains(&count), "{count}");
        assert_eq!((store.open_uploads(), store.keys().len()), (0, 0));
        count = 0;
    }
}

#[test]
fn a_body_that_is_announced_as_too_large_is_not_read() {
    let (store, mut count) = (MemoryStore::default(), 0);
    let options = StreamOptions {
        content_length: Some(MAX_UPLOAD as u64 + 1),
    };
    let problem = read_source(&store, endless(String::new(), &mut count), options, None).unwrap_err();
    assert_eq!((problem.code, count), (Code::UploadTooLarge, 0));
}

/// A body whose connection is closed after some chunks.
struct CutOff(Vec<Bytes>);

impl Source for CutOff {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        if self.0.is_empty() {
            return Err(SourceFailure::Interrupted);
        }
        Ok(Some(self.0.remove(0)))
    }
}

#[test]
fn a_truncated_body_leaves_no_object() {
    let body = form(&[METADATA, ("index.js", MODULE, &vec![b'a'; 2 * PART])]);
    for length in [10, body.len() / 2, body.len() - 10, body.len()] {
        let store = MemoryStore::default();
        let source = CutOff(chunks(body[..length].to_vec(), 100_000).collect());
        let problem = read_source(&store, source, StreamOptions::default(), None).unwrap_err();
        assert_eq!(problem.code, Code::UploadMalformed);
        assert!(problem.detail.contains("closed"), "{}", problem.detail);
        assert_eq!((store.open_uploads(), store.keys().len()), (0, 0), "{length}");
    }
}

#[test]
fn a_failure_of_the_store_is_reported_and_discards_the_parts() {
    for calls in 0..4 {
        let store = MemoryStore::default();
        store.fail_after(calls, 1);
        let large = vec![b'a'; 2 * PART];
        let result = read(&store, form(&[METADATA, ("index.js", MODULE, &large)]), 100_000);
        // The completion is checked with `head`, which finds no object.
        let problem = result.unwrap_err();
        assert_eq!(
            (problem.code, problem.retry_after),
            (Code::BundleStoreUnavailable, Some(5))
        );
        assert_eq!((store.open_uploads(), store.keys().len()), (0, 0), "{calls}");
    }
}

#[test]
fn the_headers_of_a_part_are_limited() {
    let mut count = 0;
    for head in ["", "--b\r\nContent-Disposition: "] {
        let source = endless(head.to_owned(), &mut count);
        let problem =
            read_source(&MemoryStore::default(), source, StreamOptions::default(), None).unwrap_err();
        assert_eq!(problem.code, Code::UploadMalformed);
        assert!(problem.detail.contains("headers"), "{}", problem.detail);
    }
    assert!(count <= 2);
}

#[test]
fn the_compressed_size_of_modules_is_limited() {
    let noise = noise(MAX_COMPRESSED + 1000);
    let store = MemoryStore::default();
    let problem = read(&store, form(&[METADATA, ("index.js", MODULE, &noise)]), 65_536).unwrap_err();
    assert_eq!((problem.code, problem.code.status()), (Code::UploadTooLarge, 413));
    assert_eq!(store.open_uploads(), 0);
    let with_map = form(&[
        METADATA,
        ("index.js", MODULE, b"1"),
        ("m.map", SOURCE_MAP, &noise),
    ]);
    assert!(read(&store, with_map, 65_536).is_ok());
}

#[test]
fn the_compressed_size_of_source_maps_is_limited() {
    let store = MemoryStore::default();
    let with_map = |map: &[u8]| {
        let parts = [METADATA, ("index.js", MODULE, b"1"), ("m.map", SOURCE_MAP, map)];
        read(&store, form(&parts), 65_536)
    };
    assert!(with_map(&vec![b'a'; 37 * MIB]).is_ok());
    let problem = with_map(&noise(MAX_COMPRESSED_MAPS + 1000)).unwrap_err();
    assert_eq!(problem.code, Code::UploadTooLarge);
    assert!(problem.detail.contains("source maps"), "{}", problem.detail);
    assert!(problem.fix.contains("upload_source_maps"), "{}", problem.fix);
}

#[test]
fn many_modules_are_accepted_and_their_names_are_limited() {
    let store = MemoryStore::default();
    let upload = |count: usize, length: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("{index:0length$}.js")).collect();
        let mut parts: Vec<PartOf<'_>> = names
            .iter()
            .map(|name| (name.as_str(), MODULE, &b""[..]))
            .collect();
        parts.push(METADATA);
        parts.push(("index.js", MODULE, b"1"));
        read(&store, form(&parts), 65_536)
    };
    assert!(upload(1100, 80).is_ok());
    assert_eq!(upload(600, 500).unwrap_err().code, Code::UploadTooManyParts);
}

#[test]
fn a_wrong_content_length_does_not_avoid_the_check_of_the_size() {
    let noise = noise(MAX_COMPRESSED + 1000);
    let source = chunks(form(&[METADATA, ("index.js", MODULE, &noise)]), 65_536);
    let options = StreamOptions {
        content_length: Some(1000),
    };
    let problem = read_source(&MemoryStore::default(), source, options, None).unwrap_err();
    assert_eq!(problem.code, Code::UploadMalformed);
}

#[test]
fn malformed_uploads_are_rejected() {
    let store = MemoryStore::default();
    let code = |parts: &[PartOf<'_>]| read(&store, form(parts), 50).unwrap_err().code;
    let main: PartOf<'_> = ("index.js", MODULE, b"");
    assert_eq!(code(&[METADATA, METADATA, main]), Code::UploadMalformed);
    assert_eq!(code(&[main]), Code::UploadMalformed);
    assert_eq!(code(&[METADATA]), Code::UploadMalformed);
    assert_eq!(code(&[METADATA, main, main]), Code::ModuleNameInvalid);
    assert_eq!(code(&[METADATA, ("../x", MODULE, b"")]), Code::ModuleNameInvalid);
    assert_eq!(
        code(&[("metadata", "application/json", b"[]"), main]),
        Code::UploadMalformed
    );
    let long = vec![b' '; MIB + 1];
    let problem = read(&store, form(&[("metadata", "a/b", &long), main]), 5000).unwrap_err();
    assert!(problem.detail.contains("1 MiB"), "{}", problem.detail);
    let names: Vec<String> = (0..MAX_PARTS).map(|index| format!("{index}.js")).collect();
    let mut parts: Vec<PartOf<'_>> = names
        .iter()
        .map(|name| (name.as_str(), MODULE, &b""[..]))
        .collect();
    parts.push(METADATA);
    assert_eq!(code(&parts), Code::UploadTooManyParts);
    assert_eq!(store.calls(), Vec::<String>::new());
}
