//! An upload is either parsed completely or rejected with an explanation. Serialized again, for the Cloudflare API
//! and for the bundle store, a parsed upload does not change. Read while it arrives, it is the same upload.

use deploy_api::bundles::{Bundle, MemoryStore, Staged, StagedWriter, open};
use deploy_api::problem::Problem;
use deploy_api::upload::{
    self, BindingRef, MAX_PARTS, SealedUpload, StreamOptions, Upload, read_streamed, script_form,
};
use futures_executor::block_on;

/// Checks the body of an upload, whose boundary is `b`.
pub fn check(body: &[u8]) {
    let whole = block_on(upload::read(
        Some("multipart/form-data; boundary=b"),
        body.to_vec(),
    ));
    for chunk in [1, 7, 1024] {
        let streamed = read_in_chunks(body, chunk);
        assert_eq!(
            whole.is_ok(),
            streamed.is_ok(),
            "the readers differ: {whole:?} and {streamed:?}"
        );
        // The streamed reader stops at the first error, which may differ from that of the whole reader.
        match (&whole, streamed) {
            (Ok(upload), Ok(sealed)) => check_sealed(upload, &sealed),
            (_, Err(problem)) => check_problem(&problem),
            _ => {}
        }
    }
    match whole {
        Ok(upload) => check_upload(&upload),
        Err(problem) => check_problem(&problem),
    }
}

/// Reads a body in chunks of so many bytes.
fn read_in_chunks(body: &[u8], chunk: usize) -> Result<SealedUpload, Problem> {
    let store = MemoryStore::default();
    let source = body.chunks(chunk).map(|chunk| chunk.to_vec().into());
    block_on(async {
        let writer = StagedWriter::new(&store, "staging/1".to_owned());
        read_streamed(
            Some("multipart/form-data; boundary=b"),
            source,
            writer,
            StreamOptions::default(),
        )
        .await?
        .seal(None)
        .await
    })
}

/// A streamed upload is the same as the whole one, and its bundle opens to it.
fn check_sealed(upload: &Upload, sealed: &SealedUpload) {
    assert!(sealed.metadata == upload.metadata);
    let Staged::Memory(contents) = &sealed.contents else {
        // The inputs are small, unless the fuzzer is told to make large ones.
        return;
    };
    assert_eq!(sealed.head.parts.len(), upload.parts.len());
    for (stored, part) in sealed.head.parts.iter().zip(&upload.parts) {
        assert_eq!(
            (&stored.name, &stored.file_name, &stored.content_type),
            (&part.name, &part.file_name, &part.content_type)
        );
        let start = usize::try_from(stored.offset).expect("the offset is small");
        let end = start + usize::try_from(stored.size).expect("the size is small");
        assert_eq!(contents.get(start..end), Some(&part.bytes[..]));
        assert_eq!(stored.sha256, part.digest());
    }
    let store = MemoryStore::default();
    store.insert("bundles/1", contents.to_vec());
    let opened = block_on(async {
        let opened = open(&store, "bundles/1", &sealed.digest, None).await?;
        opened.verify_parts(&store).await?;
        Ok::<_, deploy_api::bundles::OpenFailure>(opened)
    })
    .expect("a stored bundle opens");
    assert_eq!(opened.parts, sealed.head.parts);
    assert_eq!(opened.metadata, upload.metadata.redacted());
}

fn check_upload(upload: &Upload) {
    assert!(upload.parts.len() <= MAX_PARTS);
    for part in &upload.parts {
        let is_plain = |name: &str| {
            !name.is_empty()
                && !name.starts_with('/')
                && !name.contains(['"', '\\', '\r', '\n', '\0'])
                && name.split('/').all(|segment| segment != "..")
        };
        assert!(is_plain(&part.name), "{:?}", part.name);
        assert!(
            part.file_name.as_deref().is_none_or(is_plain),
            "{:?}",
            part.file_name
        );
    }
    // A serialized upload parses to the same upload.
    let (content_type, body) = script_form(&upload.metadata, &upload.parts);
    let parsed = block_on(upload::read(Some(&content_type), body)).expect("a serialized upload parses");
    assert_eq!(parsed.parts, upload.parts);
    assert!(parsed.metadata == upload.metadata);
    // A bundle has the name of each secret but not its value, and unpacks to what was packed.
    let bundle = Bundle::of(upload, None);
    for binding in upload.metadata.bindings().filter(BindingRef::is_secret) {
        let bindings = bundle.metadata["bindings"]
            .as_array()
            .expect("the bindings are an array");
        let stored = bindings
            .iter()
            .find(|stored| stored["name"] == binding.name && stored["type"] == binding.kind)
            .expect("the bundle has the name of the secret");
        for value in ["text", "key_jwk", "key_base64"] {
            assert!(stored.get(value).is_none(), "{value}");
        }
    }
    let (digest, stored) = bundle.pack().expect("a parsed bundle serializes");
    assert_eq!(Bundle::unpack(&digest, stored), Ok(bundle));
}

fn check_problem(problem: &Problem) {
    assert!(problem.code.status() < 500, "{problem:?}");
    assert!(!problem.detail.is_empty() && !problem.fix.is_empty());
    assert!(
        !problem.detail.chars().any(char::is_control),
        "a control character, which a terminal would interpret: {:?}",
        problem.detail
    );
}
