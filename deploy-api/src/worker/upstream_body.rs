//! Sends an [`UpstreamBody`]. Objects of the bundle store are streamed to the upstream, with a length that is known before
//! the first byte, and do not enter the Wasm memory.

use std::pin::pin;

use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::future::{Either, select};
use js_sys::{BigInt, Uint8Array};
use thiserror::Error;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, ReadableStream, StreamPipeOptions, WritableStream};
use worker::worker_sys::FixedLengthStream;
use worker::{Bucket, ResponseBody};

use super::fetch::{Answered, Channel, Content, Failure, Outgoing, send};
use super::log::Line;
use super::object_store::{read, with_range};
use crate::bundles::{ByteRange, StoreFailure};
use crate::upstream::{Piece, UpstreamBody};

/// How many bytes of an object are encoded in base64 at a time: a multiple of 3, so that only the last part has padding.
const BASE64_PART: u64 = 768 * 1024;

/// How many bytes of base64 text are decoded at a time: a multiple of 4, so that only the last part has padding.
const TEXT_PART: u64 = 1024 * 1024;

/// How many bytes are copied out of the Wasm memory at a time.
const COPIED_PART: usize = 1024 * 1024;

/// How often an object is opened before the upload fails.
const TRIES: u32 = 3;

/// Why a body was not written completely.
#[derive(Debug, Error)]
enum Unwritten {
    /// The bundle store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// An object is missing or too short.
    #[error("the object {0} is missing or shorter than expected")]
    Missing(String),
    /// A part of an object is not base64.
    #[error("the object {0} does not have base64 text where it is expected")]
    NotBase64(String),
    /// A stream failed.
    #[error("a stream failed: {0}")]
    Stream(worker::Error),
}

impl From<JsValue> for Unwritten {
    fn from(thrown: JsValue) -> Self {
        Self::Stream(thrown.into())
    }
}

/// Sends a request with a body. The request's own `body` is ignored.
///
/// # Errors
/// When no answer began. If an object cannot be read, the request is aborted in the middle of its body, and the result is
/// [`Failure::Connection`].
pub async fn send_with_body(
    channel: Channel<'_>,
    outgoing: Outgoing<'_>,
    body: &UpstreamBody,
    bucket: Option<&Bucket>,
) -> Result<Answered, Failure> {
    match whole(body) {
        Some(content) => send(
            channel,
            Outgoing {
                body: content,
                ..outgoing
            },
        )
        .await
        .map_err(|unanswered| unanswered.failure),
        None => send_streamed(channel, outgoing, body, bucket).await,
    }
}

/// The body as one array, if all of it is in memory.
fn whole(body: &UpstreamBody) -> Option<Content> {
    let length = u32::try_from(body.length()).ok()?;
    let pieces: Option<Vec<&Bytes>> = body
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Bytes(bytes) => Some(bytes),
            Piece::Stored { .. } | Piece::Base64 { .. } | Piece::FromBase64 { .. } => None,
        })
        .collect();
    let pieces = pieces?;
    if length == 0 {
        return Some(Content::Empty);
    }
    let array = Uint8Array::new_with_length(length);
    let mut offset = 0;
    for bytes in pieces {
        array.set(&Uint8Array::from(bytes.as_ref()), offset);
        offset += u32::try_from(bytes.len()).ok()?;
    }
    Some(Content::Bytes(array))
}

async fn send_streamed(
    channel: Channel<'_>,
    outgoing: Outgoing<'_>,
    body: &UpstreamBody,
    bucket: Option<&Bucket>,
) -> Result<Answered, Failure> {
    let failed = |thrown: JsValue| {
        Line::error(
            "A stream could not be created",
            &worker::Error::from(thrown).to_string(),
        )
        .write();
        Failure::Connection
    };
    // `worker::FixedLengthStream` reads a Rust stream, so that all bytes would pass through the Wasm memory.
    let stream = FixedLengthStream::new_big_int(BigInt::from(body.length())).map_err(failed)?;
    let stop = AbortController::new().map_err(failed)?;
    let writable = stream.writable();
    let sending = pin!(send(
        channel,
        Outgoing {
            body: Content::Stream(stream.readable()),
            ..outgoing
        },
    ));
    let writing = pin!(write(body, &writable, bucket, stop.signal()));
    let answer = match select(sending, writing).await {
        // The upstream answered before it had the whole body, or is not reached.
        Either::Left((answer, _)) => {
            abort(&stop, &writable, "the upstream does not read the body");
            answer
        }
        Either::Right((Ok(()), sending)) => sending.await,
        Either::Right((Err(unwritten), sending)) => {
            let cause = unwritten.to_string();
            Line::error("The body of an upstream request could not be written", &cause).write();
            abort(&stop, &writable, &cause);
            // It ends now, because its body has failed.
            let _ = sending.await;
            return Err(Failure::Connection);
        }
    };
    answer.map_err(|unanswered| unanswered.failure)
}

fn abort(stop: &AbortController, writable: &WritableStream, reason: &str) {
    let reason = js_sys::Error::new(reason);
    stop.abort_with_reason(&reason);
    // Rejected while a pipe has the stream; the pipe aborts it then. Nothing depends on the result.
    drop(JsFuture::from(writable.abort_with_reason(&reason)));
}

/// Writes all pieces, one after the other, and closes the stream.
async fn write(
    body: &UpstreamBody,
    writable: &WritableStream,
    bucket: Option<&Bucket>,
    stop: AbortSignal,
) -> Result<(), Unwritten> {
    let bucket = || bucket.ok_or_else(|| StoreFailure("the binding BUNDLES is missing".to_owned()));
    for piece in body.pieces() {
        match piece {
            Piece::Bytes(bytes) => write_bytes(writable, bytes).await?,
            Piece::Stored { length: 0, .. } => {}
            Piece::Stored { key, offset, length } => {
                let range = ByteRange {
                    offset: *offset,
                    length: *length,
                };
                let stream = open(bucket()?, key, range).await?;
                pipe(&stream, writable, &stop).await?;
            }
            Piece::Base64 { key, length } => write_base64(writable, bucket()?, key, *length).await?,
            Piece::FromBase64 {
                key, offset, text, ..
            } => {
                let range = ByteRange {
                    offset: *offset,
                    length: *text,
                };
                write_decoded(writable, bucket()?, key, range).await?;
            }
        }
    }
    // Rejected if fewer bytes were written than announced, as from an object that is too short.
    JsFuture::from(writable.close()).await?;
    Ok(())
}

async fn write_bytes(writable: &WritableStream, bytes: &[u8]) -> Result<(), Unwritten> {
    let writer = writable.get_writer()?;
    for part in bytes.chunks(COPIED_PART) {
        JsFuture::from(writer.write_with_chunk(&Uint8Array::from(part))).await?;
    }
    writer.release_lock();
    Ok(())
}

async fn write_base64(
    writable: &WritableStream,
    bucket: &Bucket,
    key: &str,
    length: u64,
) -> Result<(), Unwritten> {
    let mut offset = 0;
    while offset < length {
        let part = ByteRange {
            offset,
            length: BASE64_PART.min(length - offset),
        };
        let bytes = read(bucket, key, Some(part))
            .await?
            .filter(|bytes| u64::try_from(bytes.len()) == Ok(part.length))
            .ok_or_else(|| Unwritten::Missing(key.to_owned()))?;
        write_bytes(writable, BASE64.encode(&bytes).as_bytes()).await?;
        offset += part.length;
    }
    Ok(())
}

/// Writes what a range of an object encodes in base64.
async fn write_decoded(
    writable: &WritableStream,
    bucket: &Bucket,
    key: &str,
    text: ByteRange,
) -> Result<(), Unwritten> {
    let mut read_bytes = 0;
    while read_bytes < text.length {
        let part = ByteRange {
            offset: text.offset.saturating_add(read_bytes),
            length: TEXT_PART.min(text.length - read_bytes),
        };
        let bytes = read(bucket, key, Some(part))
            .await?
            .filter(|bytes| u64::try_from(bytes.len()) == Ok(part.length))
            .ok_or_else(|| Unwritten::Missing(key.to_owned()))?;
        let content = BASE64
            .decode(&bytes)
            .map_err(|_| Unwritten::NotBase64(key.to_owned()))?;
        write_bytes(writable, &content).await?;
        read_bytes += part.length;
    }
    Ok(())
}

/// The bytes of an object as a stream. Tried again if the store fails, which is possible only before the first byte.
async fn open(bucket: &Bucket, key: &str, range: ByteRange) -> Result<ReadableStream, Unwritten> {
    let mut tries = 1;
    let object = loop {
        match with_range(bucket, key, Some(range)).await {
            Ok(object) => break object,
            Err(_) if tries < TRIES => tries += 1,
            Err(failure) => return Err(failure.into()),
        }
    };
    let missing = || Unwritten::Missing(key.to_owned());
    let object = object.ok_or_else(missing)?;
    let body = object.body().ok_or_else(missing)?;
    match body.response_body().map_err(Unwritten::Stream)? {
        ResponseBody::Stream(stream) => Ok(stream),
        ResponseBody::Empty | ResponseBody::Body(_) => Err(missing()),
    }
}

/// Moves all bytes of a stream into another one without touching them, and keeps that one open.
async fn pipe(from: &ReadableStream, to: &WritableStream, stop: &AbortSignal) -> Result<(), Unwritten> {
    let options = StreamPipeOptions::new();
    options.set_prevent_close(true);
    options.set_signal(stop);
    JsFuture::from(from.pipe_to_with_options(to, &options)).await?;
    Ok(())
}
