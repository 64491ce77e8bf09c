use std::net::IpAddr;

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::bindings::random_uuid;
use super::fetch::{Unread, read};
use crate::audit::Client;
use crate::gateway::{Body, BodyFailure};

/// A request as it came, in Rust's types, its body not read.
pub struct Incoming {
    /// The method.
    pub method: String,
    /// The URL's path, still encoded.
    pub path: String,
    /// The URL's query without the question mark.
    pub query: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Incoming {
    /// Reads all of a request but its body.
    pub fn of(request: &web_sys::Request) -> Self {
        let url = request.url();
        let (path, query) = path_and_query(&url);
        Self {
            method: request.method(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers(request),
        }
    }

    /// Where the request comes from. Cloudflare sets both headers itself, whatever the client sends.
    pub fn client(&self) -> Client {
        let header = |name: &str| {
            self.headers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        let address = header("cf-connecting-ip").filter(|text| text.parse::<IpAddr>().is_ok());
        let ray = header("cf-ray").filter(|text| is_plain(text));
        Client {
            address: address.map(str::to_owned),
            request_id: ray.map_or_else(random_uuid, str::to_owned),
        }
    }
}

/// Whether a text can stand in a log and in an answer as it is.
fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A URL's path and query. The runtime has parsed it, so that it has a host and an absolute path.
pub fn path_and_query(url: &str) -> (&str, &str) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let from_path = after_scheme.find('/').and_then(|start| after_scheme.get(start..));
    let without_fragment = from_path.unwrap_or("/").split('#').next().unwrap_or_default();
    without_fragment.split_once('?').unwrap_or((without_fragment, ""))
}

fn headers(request: &web_sys::Request) -> Vec<(String, String)> {
    request
        .headers()
        .entries()
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pair: Array = entry.unchecked_into();
            Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
        })
        .collect()
}

/// The body of a request, not read yet.
pub struct IncomingBody {
    stream: Option<web_sys::ReadableStream>,
    announced: Option<usize>,
}

impl IncomingBody {
    /// The body of a request.
    pub fn of(request: &web_sys::Request) -> Self {
        let length = request.headers().get("content-length").ok().flatten();
        Self {
            stream: request.body(),
            announced: length.and_then(|text| text.parse().ok()),
        }
    }
}

impl Body for IncomingBody {
    async fn read(self, limit: usize) -> Result<Vec<u8>, BodyFailure> {
        let Some(stream) = self.stream else {
            return Ok(Vec::new());
        };
        if self.announced.is_some_and(|length| length > limit) {
            let _ = stream.cancel();
            return Err(BodyFailure::TooLarge);
        }
        read(&stream, limit).await.map_err(|unread| match unread {
            Unread::TooLong => BodyFailure::TooLarge,
            Unread::Interrupted => BodyFailure::Interrupted,
        })
    }
}
