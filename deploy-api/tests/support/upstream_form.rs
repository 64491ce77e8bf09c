//! The body of a request to the Cloudflare API, read without the code that wrote it.

use std::convert::Infallible;

use bytes::Bytes;
use deploy_api::upstream::{Piece, UpstreamBody};
use futures_util::{FutureExt, stream};

/// A part of a form.
pub struct FormPart {
    pub name: String,
    pub file_name: Option<String>,
    pub content_type: Option<String>,
    pub bytes: Vec<u8>,
}

/// Reads the parts of a form.
pub fn form_parts(content_type: Option<&str>, body: Vec<u8>) -> Vec<FormPart> {
    let boundary = multer::parse_boundary(content_type.unwrap()).unwrap();
    let body = stream::iter([Ok::<_, Infallible>(Bytes::from(body))]);
    let mut form = multer::Multipart::new(body, boundary);
    let mut parts = Vec::new();
    let read = async {
        while let Some(field) = form.next_field().await.unwrap() {
            let content_type = field.headers().get("content-type");
            parts.push(FormPart {
                name: field.name().unwrap().to_owned(),
                file_name: field.file_name().map(str::to_owned),
                content_type: content_type.map(|value| value.to_str().unwrap().to_owned()),
                bytes: field.bytes().await.unwrap().to_vec(),
            });
        }
    };
    // The body is in memory, so that reading never waits. A test may already run in an executor.
    read.now_or_never().unwrap();
    parts
}

/// The bytes of a body of which no piece is in the bundle store.
pub fn in_memory(body: &UpstreamBody) -> Vec<u8> {
    let bytes = body.pieces().iter().map(|piece| match piece {
        Piece::Bytes(bytes) => bytes.as_ref(),
        Piece::Stored { .. } | Piece::Base64 { .. } | Piece::FromBase64 { .. } => {
            panic!("a piece is stored: {piece:?}")
        }
    });
    bytes.collect::<Vec<_>>().concat()
}
