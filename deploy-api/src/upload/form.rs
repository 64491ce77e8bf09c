//! The form of a Worker's upload to the Cloudflare API.

use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::Metadata;
use crate::bundles::{BrokenBundle, Staged, StoredPart};
use crate::upstream::{Piece, UpstreamBody};

/// The form of a Worker's upload to the Cloudflare API, as pieces: the metadata, then the parts, whose bytes stay where they
/// are. Returns the content type and the body. The offsets of the parts refer to `contents`.
///
/// `boundary` is 128 random bits of the runtime that were drawn after the contents were received. The form is correct if no
/// content contains the boundary, which cannot be checked without reading all contents. The client cannot know the boundary,
/// because it is random and is not sent to the client. A content of 100 MB has fewer than 2^27 positions, so it contains the boundary
/// with a probability of at most 2^-101.
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
