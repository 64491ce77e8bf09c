//! Reads one upload of static assets, and stores it.

use std::collections::BTreeSet;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::base64_check::Base64Check;
use super::bucket_failure::{BucketFailure, MAX_BUCKET, MAX_BUCKET_FILES, MAX_FILE};
use super::bucket_index::write_index;
use super::form::{AFTER, CLOSING, part_head};
use super::form_reader::{FormReader, PartHead};
use super::{AssetHash, ContentDigest, IndexEntry, SessionId};
use crate::bundles::{MAX_BUFFERED, ObjectStore, StagedWriter, StoreFailure};
use crate::upload::{Limited, Source};
use crate::upstream::{Piece, UpstreamBody};

/// An upload of static assets that was read and stored.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The key of its object.
    pub key: String,
    /// Its files, in the order of the upload.
    pub files: Vec<IndexEntry>,
    /// The body of the request to the Cloudflare API. Its content type is [`ASSET_FORM_TYPE`](super::ASSET_FORM_TYPE).
    pub body: UpstreamBody,
}

/// Reads an upload of static assets (a form with base64 contents, each named by its hash), and stores it as one object,
/// `assets/{session}/{id}`. At most one part of a multipart upload and one chunk of the body are in memory.
///
/// `id` is random or a UUID, and is used only once. `content_type` is the header of the upload.
///
/// # Errors
/// Why nothing was stored. The rest of the body was not read.
pub async fn read_bucket<S: ObjectStore>(
    store: &S,
    session: &SessionId,
    id: [u8; 16],
    content_type: Option<&str>,
    body: impl Source,
) -> Result<Bucket, BucketFailure> {
    let key = session.bucket_key(id);
    let mut form = FormReader::new(content_type, Limited::new(body, MAX_BUCKET))?;
    let mut object = ObjectWriter {
        writer: StagedWriter::stored(store, key.clone()),
        copy: Some(Vec::new()),
    };
    match write_object(&mut form, &mut object).await {
        Ok((files, length)) => {
            object.writer.finish().await?;
            let piece = match object.copy {
                Some(copy) => Piece::Bytes(Bytes::from(copy)),
                None => Piece::Stored {
                    key: key.clone(),
                    offset: 0,
                    length,
                },
            };
            Ok(Bucket {
                key,
                files,
                body: UpstreamBody::new(vec![piece]),
            })
        }
        Err(failure) => {
            object.writer.abort().await;
            Err(failure)
        }
    }
}

/// Writes the object, and keeps a copy of a small form.
struct ObjectWriter<'a, S: ObjectStore> {
    writer: StagedWriter<'a, S>,
    /// The form, as long as it has at most [`MAX_BUFFERED`] bytes.
    copy: Option<Vec<u8>>,
}

impl<S: ObjectStore> ObjectWriter<'_, S> {
    /// Appends bytes of the form.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreFailure> {
        match &mut self.copy {
            Some(copy) if copy.len().saturating_add(bytes.len()) <= MAX_BUFFERED => {
                copy.extend_from_slice(bytes);
            }
            _ => self.copy = None,
        }
        self.writer.write(bytes).await
    }
}

/// Writes the form and its index. Returns the index and the length of the form.
async fn write_object<S: ObjectStore>(
    form: &mut FormReader<impl Source>,
    object: &mut ObjectWriter<'_, S>,
) -> Result<(Vec<IndexEntry>, u64), BucketFailure> {
    let mut files = Vec::new();
    let mut hashes = BTreeSet::new();
    while let Some(head) = form.next_part().await? {
        if files.len() == MAX_BUCKET_FILES {
            return Err(BucketFailure::TooManyFiles);
        }
        let file = write_file(head, form, object).await?;
        if !hashes.insert(file.hash) {
            return Err(BucketFailure::Malformed("a file occurs twice"));
        }
        files.push(file);
    }
    if files.is_empty() {
        return Err(BucketFailure::Malformed("it has no files"));
    }
    form.finish().await?;
    object.write(CLOSING.as_bytes()).await?;
    let length = object.writer.written();
    let index = write_index(&files).map_err(|error| StoreFailure(error.to_string()))?;
    object.writer.write(&index).await?;
    Ok((files, length))
}

async fn write_file<S: ObjectStore>(
    head: PartHead,
    form: &mut FormReader<impl Source>,
    object: &mut ObjectWriter<'_, S>,
) -> Result<IndexEntry, BucketFailure> {
    let invalid = BucketFailure::Malformed("a file is not in base64");
    let hash = AssetHash::parse(&head.name)
        .map_err(|_| BucketFailure::Malformed("the name of a file is not a hash"))?;
    object
        .write(part_head(&hash, head.content_type.as_deref()).as_bytes())
        .await?;
    let offset = object.writer.written();
    let mut check = Base64Check::default();
    let mut hasher = Sha256::new();
    while let Some(chunk) = form.next_chunk().await? {
        check.update(&chunk).map_err(|_| invalid.clone())?;
        if check.decoded() > MAX_FILE {
            return Err(BucketFailure::FileTooLarge { hash });
        }
        hasher.update(&chunk);
        object.write(&chunk).await?;
    }
    let size = object.writer.written().saturating_sub(offset);
    let decoded = check.finish().map_err(|_| invalid)?;
    if decoded > MAX_FILE {
        return Err(BucketFailure::FileTooLarge { hash });
    }
    object.write(AFTER.as_bytes()).await?;
    Ok(IndexEntry {
        hash,
        offset,
        size,
        sha256: ContentDigest::finish(hasher),
        content_type: head.content_type,
        decoded,
    })
}
