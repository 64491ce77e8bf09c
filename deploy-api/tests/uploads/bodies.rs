//! Bodies of uploads, complete and in chunks, and functions that read them.

use bytes::Bytes;
use deploy_api::bundles::{Staged, StagedWriter, StoredPart};
use deploy_api::problem::Problem;
use deploy_api::upload::{SealedUpload, Source, StreamOptions, read_streamed};
use futures_executor::block_on;
use serde_json::Value;

use super::memory_store::MemoryStore;

pub const CONTENT_TYPE: &str = "multipart/form-data; boundary=b";

/// A part of a form: name, content type, content.
pub type PartOf<'a> = (&'a str, &'a str, &'a [u8]);

pub fn form(parts: &[PartOf<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content_type, content) in parts {
        body.extend_from_slice(part_head(name, content_type).as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

pub fn part_head(name: &str, content_type: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: {content_type}\r\n\r\n"
    )
}

pub const MODULE: &str = "application/javascript+module";
pub const SOURCE_MAP: &str = "application/source-map";
pub const METADATA: PartOf<'static> = (
    "metadata",
    "application/json",
    br#"{"main_module":"index.js","bindings":[{"type":"secret_text","name":"T","text":"marker"}]}"#,
);

/// The chunks of a body, each with at most `size` bytes.
pub fn chunks(body: Vec<u8>, size: usize) -> impl Iterator<Item = Bytes> {
    let mut rest = Bytes::from(body);
    std::iter::from_fn(move || (!rest.is_empty()).then(|| rest.split_to(rest.len().min(size))))
}

/// Reads and seals an upload. Its staging key is `staging/1`.
pub fn read_source(
    store: &MemoryStore,
    source: impl Source,
    options: StreamOptions,
    assets: Option<Value>,
) -> Result<SealedUpload, Problem> {
    read_form(store, CONTENT_TYPE, source, options, assets)
}

/// Reads and seals a form with any boundary.
pub fn read_form(
    store: &MemoryStore,
    content_type: &str,
    source: impl Source,
    options: StreamOptions,
    assets: Option<Value>,
) -> Result<SealedUpload, Problem> {
    block_on(async {
        let writer = StagedWriter::new(store, "staging/1".to_owned());
        read_streamed(Some(content_type), source, writer, options)
            .await?
            .seal(assets)
            .await
    })
}

/// The bytes of the sealed bundle.
pub fn contents(store: &MemoryStore, sealed: &SealedUpload) -> Vec<u8> {
    match &sealed.contents {
        Staged::Memory(bytes) => bytes.to_vec(),
        Staged::Object { key, length } => {
            let object = store.object(key).unwrap();
            assert_eq!(object.len() as u64, *length);
            object
        }
    }
}

/// The bytes of a part of a bundle.
pub fn part_bytes<'a>(contents: &'a [u8], part: &StoredPart) -> &'a [u8] {
    let start = usize::try_from(part.offset).unwrap();
    &contents[start..start + usize::try_from(part.size).unwrap()]
}

pub fn read(store: &MemoryStore, body: Vec<u8>, chunk: usize) -> Result<SealedUpload, Problem> {
    read_source(store, chunks(body, chunk), StreamOptions::default(), None)
}

/// Bytes that do not compress.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .collect()
}
