use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{Metadata, Part};
use crate::bundles::{BrokenBundle, Digest, Staged, StoredPart};
use crate::upstream::{Piece, UpstreamBody};

/// Writes a script's upload for the upstream: the metadata, then the parts. Gives the content type and the body.
#[must_use]
pub fn script_form(metadata: &Metadata, parts: &[Part]) -> (String, Vec<u8>) {
    let mut form = Form::new(boundary_of(parts.iter().map(|part| &part.bytes)));
    form.add("metadata", None, None, metadata.to_json().as_bytes());
    for part in parts {
        form.add(
            &part.name,
            part.file_name.as_deref(),
            part.content_type.as_deref(),
            &part.bytes,
        );
    }
    form.finish()
}

/// The form of a Worker's upload to the Cloudflare API, as pieces: the metadata, then the parts, whose bytes stay where they
/// are. Returns the content type and the body. The offsets of the parts refer to `contents`.
///
/// `boundary` is 128 random bits of the runtime that were drawn after the contents were received. The form is correct if no
/// content contains the boundary, which cannot be checked without reading all contents. The client cannot know the boundary,
/// because it is random and is not sent to the client. A content of 32 MiB has 2^25 positions, so it contains the boundary
/// with a probability of at most 2^-103.
///
/// # Errors
/// If a part is not within the contents.
pub fn script_pieces(
    metadata: &Metadata,
    parts: &[StoredPart],
    contents: &Staged,
    boundary: [u8; 16],
) -> Result<(String, UpstreamBody), BrokenBundle> {
    let boundary = format!("dotdo-{}", HEXLOWER.encode(&boundary));
    let mut pieces = Vec::new();
    let mut text = part_head(&boundary, "metadata", None, None);
    text.push_str(&metadata.to_json());
    text.push_str("\r\n");
    for part in parts {
        text.push_str(&part_head(
            &boundary,
            &part.name,
            part.file_name.as_deref(),
            part.content_type.as_deref(),
        ));
        pieces.push(Piece::Bytes(Bytes::from(std::mem::take(&mut text))));
        if part.size > 0 {
            pieces.push(content_piece(part, contents)?);
        }
        text.push_str("\r\n");
    }
    text.push_str("--");
    text.push_str(&boundary);
    text.push_str("--\r\n");
    pieces.push(Piece::Bytes(Bytes::from(text)));
    Ok((
        format!("multipart/form-data; boundary={boundary}"),
        UpstreamBody::new(pieces),
    ))
}

fn content_piece(part: &StoredPart, contents: &Staged) -> Result<Piece, BrokenBundle> {
    let end = part
        .offset
        .checked_add(part.size)
        .filter(|end| *end <= contents.length())
        .ok_or(BrokenBundle::Form)?;
    match contents {
        Staged::Memory(bytes) => {
            let position = |offset| usize::try_from(offset).map_err(|_| BrokenBundle::Form);
            // The range was checked above, so that `slice` does not panic.
            Ok(Piece::Bytes(bytes.slice(position(part.offset)?..position(end)?)))
        }
        Staged::Object { key, .. } => Ok(Piece::Stored {
            key: key.clone(),
            offset: part.offset,
            length: part.size,
        }),
    }
}

/// The headers of a part and the boundary before them. Names and types were checked: none contains a quote or a control
/// character.
fn part_head(boundary: &str, name: &str, file_name: Option<&str>, content_type: Option<&str>) -> String {
    let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
    if let Some(file_name) = file_name {
        head.push_str("; filename=\"");
        head.push_str(file_name);
        head.push('"');
    }
    if let Some(content_type) = content_type {
        head.push_str("\r\nContent-Type: ");
        head.push_str(content_type);
    }
    head.push_str("\r\n\r\n");
    head
}

/// Writes static assets for the upstream, each with its hash, its content type and its content in base64. Gives the
/// content type and the body.
#[must_use]
pub fn asset_form<'a>(
    assets: impl Iterator<Item = (&'a str, Option<&'a str>, &'a Bytes)> + Clone,
) -> (String, Vec<u8>) {
    let mut form = Form::new(boundary_of(assets.clone().map(|(_, _, content)| content)));
    for (hash, content_type, content) in assets {
        form.add(hash, Some(hash), content_type, content);
    }
    form.finish()
}

/// A form (`multipart/form-data`) that is being written.
#[derive(Debug)]
struct Form {
    boundary: String,
    body: Vec<u8>,
}

/// A boundary that does not occur in the contents, because it is derived from them: a client that could write a content that
/// has it could also find a preimage of SHA-256.
fn boundary_of<'a>(contents: impl IntoIterator<Item = &'a Bytes>) -> String {
    let digests: String = contents
        .into_iter()
        .map(|content| Digest::of(content).to_string())
        .collect();
    let digest = Digest::of(digests.as_bytes());
    format!("dotdo-{}", digest.as_str().get(..48).unwrap_or_default())
}

impl Form {
    /// An empty form with a boundary from [`boundary_of`].
    const fn new(boundary: String) -> Self {
        Self {
            boundary,
            body: Vec::new(),
        }
    }

    /// Adds a part.
    fn add(&mut self, name: &str, file_name: Option<&str>, content_type: Option<&str>, content: &[u8]) {
        let head = part_head(&self.boundary, name, file_name, content_type);
        self.body.reserve(head.len() + content.len() + 80);
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }

    /// The content type and the body.
    fn finish(mut self) -> (String, Vec<u8>) {
        self.body
            .extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (
            format!("multipart/form-data; boundary={}", self.boundary),
            self.body,
        )
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::upload;

    #[test]
    fn what_is_written_is_read_back() {
        let module = Bytes::from_static(b"--dotdo\r\n\0\xff binary --\r\n");
        let mut form = Form::new(boundary_of([&module]));
        form.add("metadata", None, None, br#"{"main_module": "index.js"}"#);
        form.add(
            "index.js",
            Some("index.js"),
            Some("application/javascript+module"),
            &module,
        );
        let (content_type, body) = form.finish();
        let upload = block_on(upload::read(Some(&content_type), body)).unwrap();
        assert_eq!(upload.parts.len(), 1);
        assert_eq!(upload.parts[0].bytes, module);
        assert_eq!(upload.parts[0].file_name.as_deref(), Some("index.js"));
    }
}
