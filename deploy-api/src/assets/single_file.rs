//! Reads the upload of a single static asset, and stores it in the form of a bucket.
//!
//! The client sends the content as it is. The object has the same form as one of [`read_bucket`](super::read_bucket) with one
//! file, so that deploys, rollbacks and promotions do not distinguish the two.

use bytes::Bytes;
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

use super::bucket_failure::{BucketFailure, MAX_FILE};
use super::bucket_index::write_index;
use super::form::{AFTER, CLOSING, length, part_head};
use super::{ContentDigest, IndexEntry, ManifestFile, NO_CONTENT_TYPE, SessionId};
use crate::bundles::{MAX_BUFFERED, ObjectStore, StagedWriter, StoreFailure};
use crate::upload::{Limited, Source, SourceFailure};
use crate::upstream::{Piece, UpstreamBody};

/// The most missing files of a session whose files are uploaded one at a time. Each upload is one of the 1,200 calls to the
/// Cloudflare API in five minutes, and a deploy reads the index of each
/// object of its session. So a session with more missing files uses buckets.
pub const MAX_SINGLE_FILES: usize = 100;

/// The number of bytes that are encoded in base64 at a time.
const BLOCK: usize = 48 * 1024;

/// The longest content type, in bytes.
const MAX_CONTENT_TYPE: usize = 200;

/// The upload of a single static asset that was read and stored.
#[derive(Clone, Debug)]
pub struct SingleFile {
    /// The key of its object.
    pub key: String,
    /// The file.
    pub file: IndexEntry,
    /// The content type of the request to the Cloudflare API.
    pub content_type: String,
    /// The body of the request to the Cloudflare API: the content as it is.
    pub body: UpstreamBody,
}

/// Reads a static asset, and stores it as one object, `assets/{session}/{id}`. At most one part of a multipart upload, one chunk
/// of the body, and the content of a small file are in memory.
///
/// `id` is random or a UUID, and is used only once. `file` is the file in the manifest of the session. `content_type` is the
/// header of the upload.
///
/// # Errors
/// Why nothing was stored. If the body is longer than the file, the rest of it was not read.
pub async fn read_single_file<S: ObjectStore>(
    store: &S,
    session: &SessionId,
    id: [u8; 16],
    file: ManifestFile,
    content_type: Option<&str>,
    body: impl Source,
) -> Result<SingleFile, BucketFailure> {
    if file.size > MAX_FILE {
        return Err(BucketFailure::FileTooLarge { hash: file.hash });
    }
    let content_type = content_type.unwrap_or(NO_CONTENT_TYPE);
    if content_type.len() > MAX_CONTENT_TYPE
        || content_type.bytes().any(|byte| !(b' '..=b'~').contains(&byte))
    {
        return Err(BucketFailure::Malformed(
            "the content type of a file is too long or not printable",
        ));
    }
    let key = session.bucket_key(id);
    let mut object = StagedWriter::stored(store, key.clone());
    match write_object(&mut object, file, content_type, Limited::new(body, file.size)).await {
        Ok((entry, copy)) => {
            object.finish().await?;
            let piece = copy.map_or_else(
                || Piece::FromBase64 {
                    key: key.clone(),
                    offset: entry.offset,
                    text: entry.size,
                    length: entry.decoded,
                },
                |copy| Piece::Bytes(Bytes::from(copy)),
            );
            Ok(SingleFile {
                key,
                file: entry,
                content_type: content_type.to_owned(),
                body: UpstreamBody::new(vec![piece]),
            })
        }
        Err(failure) => {
            object.abort().await;
            Err(failure)
        }
    }
}

/// Writes the form and its index. Returns the index, and the content if it has at most [`MAX_BUFFERED`] bytes.
async fn write_object<S: ObjectStore>(
    object: &mut StagedWriter<'_, S>,
    file: ManifestFile,
    content_type: &str,
    mut body: impl Source,
) -> Result<(IndexEntry, Option<Vec<u8>>), BucketFailure> {
    let ManifestFile { hash, size } = file;
    let wrong_size = BucketFailure::WrongSize { hash, size };
    object
        .write(part_head(&hash, Some(content_type)).as_bytes())
        .await?;
    let offset = object.written();
    let mut text = Base64Text::default();
    let mut copy = usize::try_from(size)
        .ok()
        .filter(|size| *size <= MAX_BUFFERED)
        .map(|_| Vec::new());
    let mut decoded = 0_u64;
    while let Some(chunk) = body.next().await.map_err(|failure| match failure {
        SourceFailure::TooLarge { .. } => wrong_size.clone(),
        SourceFailure::Interrupted | SourceFailure::Store => {
            BucketFailure::Malformed("it ends in the middle")
        }
    })? {
        decoded = decoded.saturating_add(length(&chunk));
        if let Some(copy) = &mut copy {
            copy.extend_from_slice(&chunk);
        }
        for block in chunk.chunks(BLOCK) {
            object.write(text.encode(block).as_bytes()).await?;
        }
    }
    if decoded != size {
        return Err(wrong_size);
    }
    let (end, sha256) = text.finish();
    object.write(end.as_bytes()).await?;
    let entry = IndexEntry {
        hash,
        offset,
        size: object.written().saturating_sub(offset),
        sha256,
        content_type: Some(content_type.to_owned()),
        decoded,
    };
    object.write(AFTER.as_bytes()).await?;
    object.write(CLOSING.as_bytes()).await?;
    let index = write_index(std::slice::from_ref(&entry)).map_err(|error| StoreFailure(error.to_string()))?;
    object.write(&index).await?;
    Ok((entry, copy))
}

/// Encodes a content in base64 with padding, in blocks of any length, and computes the digest of the text.
#[derive(Default)]
struct Base64Text {
    /// Bytes that are not encoded yet: fewer than 3 between two blocks.
    pending: Vec<u8>,
    hasher: Sha256,
}

impl Base64Text {
    /// The text of the next block, up to the last whole group of 3 bytes.
    fn encode(&mut self, block: &[u8]) -> String {
        self.pending.extend_from_slice(block);
        let rest = self.pending.split_off(self.pending.len() / 3 * 3);
        let text = BASE64.encode(&self.pending);
        self.pending = rest;
        self.hasher.update(&text);
        text
    }

    /// The text of the last bytes, and the digest of the whole text.
    fn finish(mut self) -> (String, ContentDigest) {
        let text = BASE64.encode(&self.pending);
        self.hasher.update(&text);
        (text, ContentDigest::finish(self.hasher))
    }
}
