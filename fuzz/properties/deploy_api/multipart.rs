//! An upload is either read completely or rejected with an explanation, the same for every division into chunks. The form
//! for the Cloudflare API contains the same upload, and the bundle opens to the same upload without its secrets.

use deploy_api::bundles::{OpenFailure, Staged, StagedWriter, StoredPart, open};
use deploy_api::problem::Problem;
use deploy_api::upload::{
    BindingRef, MAX_PARTS, SealedUpload, StreamOptions, read_account_script, read_streamed, script_pieces,
};
use deploy_api::upstream::{Piece, UpstreamBody};
use futures_executor::block_on;

use super::memory_store::MemoryStore;

/// Checks the body of an upload, whose boundary is `b`, and the same bytes as the modules of an account Worker.
pub fn check(body: &[u8]) {
    check_account_script(body);
    let content_type = "multipart/form-data; boundary=b";
    let whole = read_in_chunks(content_type, body, body.len().max(1));
    for chunk in [1, 7, 1024] {
        let other = read_in_chunks(content_type, body, chunk);
        match (&whole, &other) {
            (Ok(whole), Ok(other)) => check_same(whole, other),
            // The first error that is found may depend on the chunks.
            (Err(_), Err(problem)) => check_problem(problem),
            _ => panic!("the result depends on the chunks: {whole:?} and {other:?}"),
        }
    }
    match whole {
        Ok(sealed) => check_sealed(&sealed),
        Err(problem) => check_problem(&problem),
    }
}

/// Bytes of the Cloudflare API add modules to an import and never change its metadata, whatever they are, and are rejected otherwise.
fn check_account_script(body: &[u8]) {
    let script = (Some("application/javascript"), None, "body_part", "worker.js");
    let form = (
        Some("multipart/form-data; boundary=b"),
        Some("index.js"),
        "main_module",
        "index.js",
    );
    for (content_type, entrypoint, member, main) in [form, script] {
        let store = MemoryStore::default();
        let mut metadata = serde_json::Map::new();
        metadata.insert("tags".to_owned(), serde_json::json!(["a\r\n--b--"]));
        let expected = {
            let mut expected = metadata.clone();
            expected.insert(member.to_owned(), main.into());
            expected
        };
        let source = body.chunks(7).map(|chunk| chunk.to_vec().into());
        let writer = StagedWriter::new(&store, "staging/1".to_owned());
        let read = block_on(async {
            read_account_script(metadata, content_type, entrypoint, source, writer, [7; 16])
                .await?
                .seal(None)
                .await
        });
        match read {
            Ok(sealed) => {
                assert_eq!(*sealed.metadata.members(), expected);
                assert!(sealed.head.parts.iter().any(|part| part.name == main));
                check_sealed(&sealed);
            }
            Err(problem) => check_problem(&problem),
        }
    }
}

/// Reads a body in chunks of so many bytes.
fn read_in_chunks(content_type: &str, body: &[u8], chunk: usize) -> Result<SealedUpload, Problem> {
    let store = MemoryStore::default();
    let source = body.chunks(chunk).map(|chunk| chunk.to_vec().into());
    block_on(async {
        let writer = StagedWriter::new(&store, "staging/1".to_owned());
        read_streamed(Some(content_type), source, writer, StreamOptions::default())
            .await?
            .seal(None)
            .await
    })
}

fn check_same(upload: &SealedUpload, other: &SealedUpload) {
    assert!(upload.metadata == other.metadata);
    assert_eq!(upload.head, other.head);
    assert_eq!(upload.digest, other.digest);
    assert_eq!(upload.contents.length(), other.contents.length());
}

fn check_sealed(sealed: &SealedUpload) {
    assert!(sealed.head.parts.len() <= MAX_PARTS);
    for part in &sealed.head.parts {
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
    // A bundle has the name of each secret but not its value.
    for binding in sealed.metadata.bindings().filter(BindingRef::is_secret) {
        let bindings = sealed.head.metadata["bindings"]
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
    let Staged::Memory(contents) = &sealed.contents else {
        // The inputs are small, unless the fuzzer is configured to make large ones.
        return;
    };
    for part in &sealed.head.parts {
        let digest = deploy_api::bundles::Digest::of(bytes_of(contents, part));
        assert_eq!(part.sha256, digest);
    }
    check_bundle(sealed, contents);
    check_form(sealed, contents);
}

/// The stored bundle opens to the upload.
fn check_bundle(sealed: &SealedUpload, contents: &[u8]) {
    let store = MemoryStore::default();
    store.insert("bundles/1", contents.to_vec());
    let opened = block_on(async {
        let opened = open(&store, "bundles/1", &sealed.digest, None).await?;
        opened.verify_parts(&store).await?;
        Ok::<_, OpenFailure>(opened)
    })
    .expect("a stored bundle opens");
    assert_eq!(opened.parts, sealed.head.parts);
    assert_eq!(opened.metadata, sealed.metadata.redacted());
}

/// The form for the Cloudflare API is read as the same upload.
fn check_form(sealed: &SealedUpload, contents: &[u8]) {
    let (content_type, form) = script_pieces(&sealed.metadata, &sealed.head.parts, &sealed.contents, [7; 16])
        .expect("the parts are within the contents");
    let body = join(&form);
    let read = read_in_chunks(&content_type, &body, 1024).expect("the form is read");
    assert!(read.metadata == sealed.metadata);
    assert_eq!(read.head.metadata, sealed.head.metadata);
    assert_eq!(read.head.parts.len(), sealed.head.parts.len());
    let Staged::Memory(received) = &read.contents else {
        panic!("a small upload is in memory")
    };
    for (part, original) in read.head.parts.iter().zip(&sealed.head.parts) {
        assert_eq!(
            (&part.name, &part.file_name, &part.content_type),
            (&original.name, &original.file_name, &original.content_type)
        );
        assert_eq!(bytes_of(received, part), bytes_of(contents, original));
    }
}

fn join(form: &UpstreamBody) -> Vec<u8> {
    let mut body = Vec::new();
    for piece in form.pieces() {
        let Piece::Bytes(bytes) = piece else {
            panic!("the contents are in memory")
        };
        body.extend_from_slice(bytes);
    }
    assert_eq!(Ok(form.length()), u64::try_from(body.len()));
    body
}

fn bytes_of<'a>(contents: &'a [u8], part: &StoredPart) -> &'a [u8] {
    let start = usize::try_from(part.offset).expect("the offset is small");
    let end = start + usize::try_from(part.size).expect("the size is small");
    contents.get(start..end).expect("the part is within the contents")
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
