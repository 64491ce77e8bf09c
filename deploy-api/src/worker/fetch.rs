use js_sys::{Reflect, Uint8Array};
use thiserror::Error;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader, Request, RequestInit, RequestRedirect, Response};

use super::bindings::Fetcher;

/// A request to a service, with nothing in it but what is said here.
pub struct Outgoing<'a> {
    /// The method.
    pub method: &'static str,
    /// The address.
    pub url: &'a str,
    /// The headers.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body; empty for none.
    pub body: &'a [u8],
    /// After how many milliseconds nobody waits any longer, for the answer's body either.
    pub timeout: u32,
}

/// The answer of a service whose body has not been read.
pub struct Answered {
    response: Response,
    signal: AbortSignal,
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The time was over.
    #[error("no answer came in time")]
    Timeout,
    /// The connection failed before the answer began.
    #[error("the connection failed")]
    Connection,
    /// The answer ended in its middle.
    #[error("the answer was cut off")]
    Interrupted,
    /// The answer is longer than the caller reads.
    #[error("the answer is too long")]
    TooLong,
}

/// Sends a request over a service binding or the global `fetch`. No redirect is followed.
///
/// # Errors
/// When no answer began.
pub async fn send(via: &Fetcher, outgoing: &Outgoing<'_>) -> Result<Answered, Failure> {
    let signal = AbortSignal::timeout_with_u32(outgoing.timeout);
    let request = build(outgoing, &signal).map_err(|_| Failure::Connection)?;
    let failure = |_| {
        if signal.aborted() {
            Failure::Timeout
        } else {
            Failure::Connection
        }
    };
    let promise = via.fetch(&request).map_err(failure)?;
    let response: Response = JsFuture::from(promise).await.map_err(failure)?.unchecked_into();
    Ok(Answered { response, signal })
}

fn build(outgoing: &Outgoing<'_>, signal: &AbortSignal) -> Result<Request, JsValue> {
    let init = RequestInit::new();
    init.set_method(outgoing.method);
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(signal));
    if !outgoing.body.is_empty() {
        init.set_body(&Uint8Array::from(outgoing.body));
    }
    let request = Request::new_with_str_and_init(outgoing.url, &init)?;
    for (name, value) in outgoing.headers {
        request.headers().set(name, value)?;
    }
    Ok(request)
}

impl Answered {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<String> {
        self.response.headers().get(name).ok().flatten()
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// When it does not end in time, ends too early, or has more than `limit` bytes.
    pub async fn read(self, limit: usize) -> Result<Vec<u8>, Failure> {
        let Some(stream) = self.response.body() else {
            return Ok(Vec::new());
        };
        read(&stream, limit).await.map_err(|failure| match failure {
            Unread::TooLong => Failure::TooLong,
            Unread::Interrupted if self.signal.aborted() => Failure::Timeout,
            Unread::Interrupted => Failure::Interrupted,
        })
    }

    /// Lets the body go unread, so that its connection is free again.
    pub fn drop_body(self) {
        if let Some(stream) = self.response.body() {
            // Nothing depends on how the cancellation ends.
            let _ = stream.cancel();
        }
    }
}

/// Why a stream was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It has more bytes than are read.
    TooLong,
    /// It failed.
    Interrupted,
}

/// Reads a stream of bytes to its end, or until more than `limit` bytes came.
pub async fn read(stream: &web_sys::ReadableStream, limit: usize) -> Result<Vec<u8>, Unread> {
    let interrupted = |_: JsValue| Unread::Interrupted;
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let step = JsFuture::from(reader.read()).await.map_err(interrupted)?;
        let done = Reflect::get(&step, &JsValue::from_str("done")).map_err(interrupted)?;
        if done.is_truthy() {
            return Ok(bytes);
        }
        let value = Reflect::get(&step, &JsValue::from_str("value")).map_err(interrupted)?;
        let chunk: Uint8Array = value.unchecked_into();
        let begin = bytes.len();
        let end = begin.saturating_add(chunk.length() as usize);
        if end > limit {
            let _ = reader.cancel();
            return Err(Unread::TooLong);
        }
        bytes.resize(end, 0);
        if let Some(space) = bytes.get_mut(begin..end) {
            chunk.copy_to(space);
        }
    }
}
