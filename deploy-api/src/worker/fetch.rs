//! Requests to services.

use js_sys::Uint8Array;
use thiserror::Error;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, ReadableStream, Request, RequestCache, RequestInit, RequestRedirect};
use worker::{Fetch, Fetcher, Response, ResponseBody, Stub};

use super::chunks::{Chunks, Unread};

/// Where a request is sent.
#[derive(Clone, Copy)]
pub enum Channel<'a> {
    /// The internet.
    Internet,
    /// A service binding.
    Service(&'a Fetcher),
    /// A Durable Object.
    Object(&'a Stub),
}

/// A request to a service. Nothing is added to it.
pub struct Outgoing<'a> {
    /// The method.
    pub method: &'static str,
    /// The address.
    pub url: &'a str,
    /// The headers.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body.
    pub body: Content,
    /// The time limit in milliseconds, for the answer's body as well.
    pub timeout: u32,
}

/// The body of a request.
pub enum Content {
    /// None.
    Empty,
    /// Bytes.
    Bytes(Uint8Array),
    /// A stream. With the readable side of a `FixedLengthStream` its length is known.
    Stream(ReadableStream),
}

/// The answer of a service whose body has not been read.
pub struct Answered {
    response: Response,
    signal: AbortSignal,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The time limit was reached.
    #[error("there was no response in time")]
    Timeout,
    /// The connection failed before the answer began.
    #[error("the connection failed")]
    Connection,
    /// The answer's body failed in the middle.
    #[error("the answer was cut off")]
    Interrupted,
    /// The answer's body has more bytes than the limit.
    #[error("the answer is too long")]
    TooLong,
}

/// A failure with the runtime's text, which is for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{failure}: {cause}")]
pub struct Unanswered {
    /// The kind of failure.
    pub failure: Failure,
    /// What the runtime says.
    pub cause: String,
}

/// Sends a request. Redirects are not followed.
///
/// # Errors
/// If there is no response.
pub async fn send(channel: Channel<'_>, outgoing: Outgoing<'_>) -> Result<Answered, Unanswered> {
    let signal = AbortSignal::timeout_with_u32(outgoing.timeout);
    let failed = |error: worker::Error| Unanswered {
        failure: if signal.aborted() {
            Failure::Timeout
        } else {
            Failure::Connection
        },
        cause: error.to_string(),
    };
    let is_cacheable = matches!(channel, Channel::Internet) && outgoing.method == "GET";
    let request = build(&outgoing, &signal, is_cacheable).map_err(|thrown| failed(thrown.into()))?;
    let response = match channel {
        // Its `send` would replace the request's signal by none.
        Channel::Internet => {
            Fetch::Request(request)
                .send_with_signal(&signal.clone().into())
                .await
        }
        Channel::Service(service) => service.fetch_request(request).await,
        Channel::Object(object) => object.fetch_with_request(request).await,
    };
    let response = response.map_err(failed)?;
    Ok(Answered { response, signal })
}

fn build(
    outgoing: &Outgoing<'_>,
    signal: &AbortSignal,
    is_cacheable: bool,
) -> Result<worker::Request, JsValue> {
    // `worker::RequestInit` has no signal.
    let init = RequestInit::new();
    init.set_method(outgoing.method);
    init.set_redirect(RequestRedirect::Manual);
    if is_cacheable {
        // Other Workers of the zone can write to the runtime's cache.
        init.set_cache(RequestCache::NoStore);
    }
    init.set_signal(Some(signal));
    match &outgoing.body {
        Content::Empty => {}
        Content::Bytes(bytes) => init.set_body(bytes),
        Content::Stream(stream) => init.set_body(stream),
    }
    let request = Request::new_with_str_and_init(outgoing.url, &init)?;
    for (name, value) in outgoing.headers {
        request.headers().set(name, value)?;
    }
    Ok(request.into())
}

impl Answered {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status_code()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<String> {
        self.response.headers().get(name).ok().flatten()
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// When it does not end in time, fails in the middle, or has more than `limit` bytes.
    pub async fn read(self, limit: usize) -> Result<Vec<u8>, Failure> {
        let ResponseBody::Stream(stream) = self.response.body() else {
            return Ok(Vec::new());
        };
        Chunks::of(stream)
            .read_all(limit)
            .await
            .map_err(|failure| match failure {
                Unread::TooLong => Failure::TooLong,
                Unread::Interrupted if self.signal.aborted() => Failure::Timeout,
                Unread::Interrupted => Failure::Interrupted,
            })
    }

    /// The body, and the signal that ends it at the time limit; `None` if it is empty.
    pub fn into_chunks(self) -> Option<(Chunks, AbortSignal)> {
        match self.response.body() {
            ResponseBody::Stream(stream) => Some((Chunks::of(stream), self.signal)),
            ResponseBody::Empty | ResponseBody::Body(_) => None,
        }
    }

    /// Reads the first bytes of the body, at most `limit`: fewer if it ends, fails or exceeds the time limit before.
    pub async fn read_beginning(self, limit: usize) -> Vec<u8> {
        let ResponseBody::Stream(stream) = self.response.body() else {
            return Vec::new();
        };
        Chunks::of(stream).read_beginning(limit).await
    }

    /// Reads the whole body as text. It is one step, where [`read`](Self::read) has one for each chunk, and has no limit: it is for
    /// the responses of our own Durable Object.
    ///
    /// # Errors
    /// When the body does not end in time, or fails in the middle.
    pub async fn text(mut self) -> Result<String, Failure> {
        let text = self.response.text().await;
        text.map_err(|_| {
            if self.signal.aborted() {
                Failure::Timeout
            } else {
                Failure::Interrupted
            }
        })
    }

    /// Discards the body, so that its connection can be used again.
    pub fn discard(self) {
        if let ResponseBody::Stream(stream) = self.response.body() {
            Chunks::of(stream).cancel();
        }
    }
}
