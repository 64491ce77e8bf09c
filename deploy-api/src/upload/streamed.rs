//! Reads an upload while it arrives, and writes the parts' bytes to the bundle store.
//!
//! Only the metadata, the buffer of the [`StagedWriter`] and one piece of 64 KiB are in memory.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use multer::Multipart;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::feeder::Feeder;
use super::fields::{MetadataFields, is_metadata_field};
use super::form_error::{malformed, too_many_parts, unreadable};
use super::metadata::{MAX_METADATA, METADATA, metadata_too_long};
use super::part::is_source_map;
use super::reader::{
    FieldHead, MAX_FIRST_LINE, boundary, boundary_of_body, check_whole, may_be_form, two_metadata_parts,
};
use super::size::UploadSize;
use super::{Limited, MAX_NAMES, MAX_PARTS, MAX_UPLOAD, Metadata, Source, SourceFailure};
use crate::bundles::{BundleHead, Digest, ObjectStore, Staged, StagedWriter, StoreFailure, StoredPart};
use crate::code::Code;
use crate::problem::Problem;

/// The most bytes that are read before the headers of the next part are complete.
const MAX_FIELD_HEAD: usize = 64 * 1024;

/// What is known of an upload before its body is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamOptions {
    /// The header `Content-Length`. Bodies of at most 10 MiB need not be compressed to check their compressed size.
    pub content_length: Option<u64>,
}

/// An upload whose parts were written, but not the trailer. It must be sealed or aborted.
pub struct StreamedUpload<'a, S: ObjectStore> {
    /// The metadata, including secrets.
    pub metadata: Metadata,
    /// The modules and source maps, in the order of the upload.
    pub parts: Vec<StoredPart>,
    /// The bindings of the Worker's current version, if the metadata has bindings that refer to them: empty if there is no current
    /// version, `None` if they are not known. `None` after reading.
    pub current_bindings: Option<Vec<Value>>,
    writer: StagedWriter<'a, S>,
}

/// An upload whose bundle is complete: an object of the store, or bytes for the caller to store at
/// [`bundle_key`](crate::bundles::bundle_key).
#[derive(Debug)]
pub struct SealedUpload {
    /// The metadata, including secrets.
    pub metadata: Metadata,
    /// The head, with the parts.
    pub head: BundleHead,
    /// The digest of the bundle.
    pub digest: Digest,
    /// The bundle: the parts' bytes and the trailer. The parts' offsets refer to it.
    pub contents: Staged,
}

impl<S: ObjectStore> StreamedUpload<'_, S> {
    /// Writes the trailer. `assets` refers to the static assets, which the metadata names by a token.
    ///
    /// # Errors
    /// `BUNDLE_STORE_UNAVAILABLE`. Nothing is stored then.
    pub async fn seal(self, assets: Option<Value>) -> Result<SealedUpload, Problem> {
        let Self {
            metadata,
            parts,
            current_bindings,
            mut writer,
        } = self;
        let head = BundleHead {
            metadata: metadata.stored(current_bindings.as_deref()),
            assets,
            parts,
        };
        writer
            .write(&head.to_trailer())
            .await
            .map_err(store_unavailable)?;
        Ok(SealedUpload {
            metadata,
            digest: head.digest(),
            head,
            contents: writer.finish().await.map_err(store_unavailable)?,
        })
    }

    /// Discards the parts' bytes, for example because the upload is rejected.
    pub async fn abort(self) {
        self.writer.abort().await;
    }
}

/// Reads an upload: one part named `metadata` and modules with different names, in any order. Secrets are only in the
/// metadata, which is not written to the store.
///
/// # Errors
/// `UPLOAD_MALFORMED` if the body is not a complete form, or has not exactly one valid metadata part;
/// `MODULE_NAME_INVALID` if a module's name is used twice or leaves its folder; `UPLOAD_TOO_MANY_PARTS` for more than
/// [`MAX_PARTS`] parts; `UPLOAD_TOO_LARGE` for more than [`MAX_UPLOAD`] bytes, or modules or source maps that are too large
/// (see [`UploadSize`]); `BUNDLE_STORE_UNAVAILABLE`. Reading stops at the first error, and the bytes that were written
/// are discarded.
pub async fn read_streamed<'a, B: Source, S: ObjectStore>(
    content_type: Option<&str>,
    source: B,
    mut writer: StagedWriter<'a, S>,
    options: StreamOptions,
) -> Result<StreamedUpload<'a, S>, Problem> {
    match read_into(content_type, source, &mut writer, options).await {
        Ok((metadata, parts)) => Ok(StreamedUpload {
            metadata,
            parts,
            current_bindings: None,
            writer,
        }),
        Err(problem) => {
            writer.abort().await;
            Err(problem)
        }
    }
}

async fn read_into<B: Source, S: ObjectStore>(
    content_type: Option<&str>,
    source: B,
    writer: &mut StagedWriter<'_, S>,
    options: StreamOptions,
) -> Result<(Metadata, Vec<StoredPart>), Problem> {
    let limit = u64::try_from(MAX_UPLOAD).unwrap_or(u64::MAX);
    if options.content_length.is_some_and(|length| length > limit) {
        return Err(SourceFailure::TooLarge { limit }.problem());
    }
    let mut input = Input(Feeder::new(Limited::new(source, limit)));
    let boundary = if may_be_form(content_type) {
        let start = input
            .0
            .peek(MAX_FIRST_LINE)
            .await
            .map_err(SourceFailure::problem)?;
        boundary_of_body(&start)?
    } else {
        boundary(content_type)?
    };
    let mut fields = MetadataFields::default();
    let mut form = Multipart::new(input.0.stream(), boundary);
    let mut size = UploadSize::new(options.content_length);
    let mut names = 0;
    let mut metadata = None;
    let mut parts: Vec<StoredPart> = Vec::new();
    while let Some(mut field) = input
        .drive(MAX_FIELD_HEAD, |context| form.poll_next_field(context))
        .await?
    {
        if parts.len() + usize::from(metadata.is_some()) == MAX_PARTS {
            return Err(too_many_parts());
        }
        let head = FieldHead::of(&field)?;
        if head.name == METADATA {
            if metadata.is_some() {
                return Err(two_metadata_parts());
            }
            metadata = Some(read_metadata(&mut input, &mut field).await?);
            continue;
        }
        if is_metadata_field(&head.name) {
            fields.add(&head.name, &read_text(&mut input, &mut field).await?)?;
            continue;
        }
        let head = head.with_name_of_module();
        head.check_names()?;
        names += head.name.len() + head.file_name.as_ref().map_or(0, String::len);
        if names > MAX_NAMES {
            return Err(too_many_parts());
        }
        let is_module = !is_source_map(head.content_type.as_deref());
        let offset = writer.written();
        let mut hasher = Sha256::new();
        while let Some(bytes) = input.chunk(&mut field).await? {
            hasher.update(&bytes);
            if is_module {
                size.add_to_module(&bytes)?;
            } else {
                size.add_to_map(&bytes)?;
            }
            writer.write(&bytes).await.map_err(store_unavailable)?;
        }
        parts.push(StoredPart {
            name: head.name,
            file_name: head.file_name,
            content_type: head.content_type,
            size: writer.written() - offset,
            sha256: Digest::from(hasher),
            offset,
        });
    }
    input.0.drain().await.map_err(SourceFailure::problem)?;
    let metadata = match (metadata, fields.finish()?) {
        (Some(_), Some(_)) => return Err(two_metadata_parts()),
        (metadata, of_fields) => metadata.or(of_fields),
    };
    let metadata = check_whole(metadata, parts.iter().map(|part| part.name.as_str()))?;
    size.check()?;
    Ok((metadata, parts))
}

async fn read_metadata<B: Source>(
    input: &mut Input<B>,
    field: &mut multer::Field<'_>,
) -> Result<Metadata, Problem> {
    Metadata::parse(&read_text(input, field).await?)
}

/// The bytes of a part of the metadata.
async fn read_text<B: Source>(
    input: &mut Input<B>,
    field: &mut multer::Field<'_>,
) -> Result<Vec<u8>, Problem> {
    let mut text = Vec::new();
    while let Some(bytes) = input.chunk(field).await? {
        if text.len() + bytes.len() > MAX_METADATA {
            return Err(metadata_too_long());
        }
        text.extend_from_slice(&bytes);
    }
    Ok(text)
}

/// The body, read piece by piece by the parser.
struct Input<B: Source>(Feeder<Limited<B>>);

impl<B: Source> Input<B> {
    /// Polls the parser until it has a result. In between it gets input, but no new input after more than `limit` bytes.
    async fn drive<T>(
        &mut self,
        limit: usize,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<multer::Result<T>>,
    ) -> Result<T, Problem> {
        let mut fed = 0;
        loop {
            let result = poll_fn(|context| {
                Poll::Ready(match poll(context) {
                    Poll::Ready(result) => Some(result),
                    Poll::Pending => None,
                })
            });
            if let Some(result) = result.await {
                return result.map_err(|error| unreadable(&error));
            }
            if self.0.is_ended() {
                return Err(unreadable(&multer::Error::IncompleteStream));
            }
            if fed >= limit {
                return Err(malformed("the headers of a part are too long"));
            }
            fed += self.0.fill().await.map_err(SourceFailure::problem)?.unwrap_or(0);
        }
    }

    /// The next bytes of a part, or `None` at its end.
    async fn chunk(&mut self, field: &mut multer::Field<'_>) -> Result<Option<Bytes>, Problem> {
        self.drive(usize::MAX, |context| {
            field.poll_next_unpin(context).map(Option::transpose)
        })
        .await
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn store_unavailable(failure: StoreFailure) -> Problem {
    Problem::new(
        Code::BundleStoreUnavailable,
        "The bundle store failed, so nothing was deployed.",
        "Try again in a moment.",
    )
    .caused_by(&failure)
    .retry_after(5)
}
