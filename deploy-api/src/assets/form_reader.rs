//! Reads a form while its body arrives.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use multer::Multipart;

use super::bucket_failure::BucketFailure;
use crate::upload::{Feeder, Source, SourceFailure};

/// The most bytes that are read while the head of a part is not complete.
const MAX_HEAD: usize = 64 * 1024;

/// Reads the parts of a form one after the other. In memory are one chunk of the body and a copy of one piece of it.
pub(super) struct FormReader<S: Source> {
    body: Feeder<S>,
    form: Multipart<'static>,
    part: Option<multer::Field<'static>>,
}

/// The head of a part.
#[derive(Debug)]
pub(super) struct PartHead {
    /// Its name.
    pub(super) name: String,
    /// Its content type: printable ASCII.
    pub(super) content_type: Option<String>,
}

impl<S: Source> FormReader<S> {
    /// A reader of a body with this header `Content-Type`.
    pub(super) fn new(content_type: Option<&str>, source: S) -> Result<Self, BucketFailure> {
        let boundary = content_type
            .and_then(|text| multer::parse_boundary(text).ok())
            .ok_or(BucketFailure::Malformed(
                "its content type is not multipart/form-data with a boundary",
            ))?;
        let body = Feeder::new(source);
        Ok(Self {
            form: Multipart::new(body.stream(), boundary),
            body,
            part: None,
        })
    }

    /// The next part, or `None` after the last one. The content of the part before must have been read to its end.
    pub(super) async fn next_part(&mut self) -> Result<Option<PartHead>, BucketFailure> {
        self.part = None;
        let mut received = 0_usize;
        loop {
            let form = &mut self.form;
            match poll_once(|context| form.poll_next_field(context)).await {
                Poll::Ready(Ok(part)) => {
                    let head = part.as_ref().map(part_head).transpose()?;
                    self.part = part;
                    return Ok(head);
                }
                Poll::Ready(Err(error)) => return Err(unreadable(&error)),
                Poll::Pending if received > MAX_HEAD => {
                    return Err(BucketFailure::Malformed("the head of a part is too long"));
                }
                Poll::Pending => received = received.saturating_add(self.fill().await?),
            }
        }
    }

    /// The next bytes of the part's content, or `None` at its end.
    pub(super) async fn next_chunk(&mut self) -> Result<Option<Bytes>, BucketFailure> {
        loop {
            let Some(part) = &mut self.part else {
                return Ok(None);
            };
            match poll_once(|context| Pin::new(&mut *part).poll_next(context)).await {
                Poll::Ready(Some(Ok(chunk))) => return Ok(Some(chunk)),
                Poll::Ready(Some(Err(error))) => return Err(unreadable(&error)),
                Poll::Ready(None) => return Ok(None),
                Poll::Pending => {
                    self.fill().await?;
                }
            }
        }
    }

    /// Reads what follows the form, which is ignored.
    pub(super) async fn finish(&mut self) -> Result<(), BucketFailure> {
        Ok(self.body.drain().await?)
    }

    /// Gives the parser the next piece of the body, and returns its length.
    async fn fill(&mut self) -> Result<usize, BucketFailure> {
        if self.body.is_ended() {
            return Err(BucketFailure::Malformed("it ends in the middle"));
        }
        Ok(self.body.fill().await?.unwrap_or(0))
    }
}

/// Polls once, and returns the result instead of waiting.
async fn poll_once<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    std::future::poll_fn(|context| Poll::Ready(poll(context))).await
}

fn part_head(part: &multer::Field<'static>) -> Result<PartHead, BucketFailure> {
    let name = part
        .name()
        .ok_or(BucketFailure::Malformed("a part has no name"))?
        .to_owned();
    let content_type = part
        .headers()
        .get("content-type")
        .map(|value| {
            value
                .to_str()
                .ok()
                .filter(|text| text.len() <= 200)
                .map(str::to_owned)
                .ok_or(BucketFailure::Malformed(
                    "the content type of a part is too long or not printable",
                ))
        })
        .transpose()?;
    Ok(PartHead { name, content_type })
}

/// Why a form cannot be read. The library's text may contain bytes of the client and is left out.
fn unreadable(error: &multer::Error) -> BucketFailure {
    BucketFailure::Malformed(match error {
        multer::Error::IncompleteFieldData { .. } => "a part has no end",
        multer::Error::IncompleteHeaders | multer::Error::IncompleteStream => "it ends in the middle",
        multer::Error::ReadHeaderFailed(_) | multer::Error::DecodeHeaderName { .. } => {
            "the header of a part cannot be read"
        }
        _ => "it is not a form",
    })
}

impl From<SourceFailure> for BucketFailure {
    fn from(failure: SourceFailure) -> Self {
        match failure {
            SourceFailure::TooLarge { .. } => Self::TooLarge,
            SourceFailure::Interrupted | SourceFailure::Store => {
                Self::Malformed("the connection was closed before its end")
            }
        }
    }
}
