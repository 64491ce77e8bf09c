//! Request bodies of wrangler, and a parser for the bodies that the Cloudflare API receives.

use bytes::Bytes;
use data_encoding::BASE64;
use deploy_api::assets::{ASSET_FORM_TYPE, Bucket, BucketFailure, SessionId, read_bucket};
use deploy_api::upstream::{Piece, UpstreamBody};
use futures_executor::block_on;

use super::memory_store::MemoryStore;
use super::upstream_form::form_parts;

pub const FORM_TYPE: &str = "multipart/form-data; boundary=----formdata-undici-012345678901";

pub fn session() -> SessionId {
    SessionId::from_bytes([0xab; 16])
}

/// A form with these names, content types and base64 texts.
pub fn form(parts: &[(&str, Option<&str>, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content_type, text) in parts {
        let head = format!(
            "------formdata-undici-012345678901\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        if let Some(content_type) = content_type {
            body.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(text.as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"------formdata-undici-012345678901--\r\n");
    body
}

/// Deterministic pseudo-random bytes.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(1);
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .collect()
}

/// Uploads a form in chunks of that length.
pub fn upload(store: &MemoryStore, id: u8, body: &[u8], chunk: usize) -> Result<Bucket, BucketFailure> {
    let chunks = body.chunks(chunk).map(Bytes::copy_from_slice);
    block_on(read_bucket(store, &session(), [id; 16], Some(FORM_TYPE), chunks))
}

/// Uploads files with the content type `text/html`.
pub fn upload_files(store: &MemoryStore, id: u8, files: &[(String, Vec<u8>)]) -> Bucket {
    let texts: Vec<String> = files.iter().map(|(_, content)| BASE64.encode(content)).collect();
    let parts: Vec<_> = files
        .iter()
        .zip(&texts)
        .map(|((hash, _), text)| (hash.as_str(), Some("text/html"), text.as_str()))
        .collect();
    upload(store, id, &form(&parts), 64 * 1024).unwrap()
}

/// The bytes of a request to the Cloudflare API.
pub fn sent(store: &MemoryStore, body: &UpstreamBody) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in body.pieces() {
        match piece {
            Piece::Bytes(text) => bytes.extend_from_slice(text),
            Piece::Stored { key, offset, length } => {
                let object = store.object(key).unwrap();
                let start = usize::try_from(*offset).unwrap();
                bytes.extend_from_slice(&object[start..start + usize::try_from(*length).unwrap()]);
            }
            Piece::FromBase64 {
                key, offset, text, ..
            } => {
                let object = store.object(key).unwrap();
                let start = usize::try_from(*offset).unwrap();
                let text = &object[start..start + usize::try_from(*text).unwrap()];
                bytes.extend_from_slice(&BASE64.decode(text).unwrap());
            }
            Piece::Base64 { key, length } => {
                let object = store.object(key).unwrap();
                assert_eq!(object.len() as u64, *length);
                bytes.extend_from_slice(BASE64.encode(&object).as_bytes());
            }
        }
    }
    assert_eq!(bytes.len() as u64, body.length());
    bytes
}

/// The files that the Cloudflare API reads from a request: hash, content type, content.
pub fn received(store: &MemoryStore, body: &UpstreamBody) -> Vec<(String, Option<String>, Vec<u8>)> {
    form_parts(Some(ASSET_FORM_TYPE), sent(store, body))
        .into_iter()
        .map(|part| {
            assert_eq!(part.file_name.as_ref(), Some(&part.name));
            (part.name, part.content_type, BASE64.decode(&part.bytes).unwrap())
        })
        .collect()
}
