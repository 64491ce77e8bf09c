use std::net::IpAddr;

use bytes::Bytes;
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::chunks::Chunks;
use super::runtime::random_uuid;
use crate::audit::Client;
use crate::upload::{Source, SourceFailure};

/// The head of a request. `worker` and its `http` feature are not used for it, because their conversion panics on an unknown
/// `cf.httpProtocol`.
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
    /// Reads the head of a request.
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

    /// Where the request comes from. Cloudflare overwrites both headers if a client sends them.
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

/// Whether a text can be written to a log and a response without encoding.
fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A URL's path and query. The runtime has parsed the URL, so it has a host and an absolute path.
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

/// The body of a request, read chunk by chunk.
pub struct IncomingBody(Option<Chunks>);

impl IncomingBody {
    /// The body of a request.
    pub fn of(request: &web_sys::Request) -> Self {
        Self(request.body().as_ref().map(Chunks::of))
    }
}

impl Source for IncomingBody {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        match &self.0 {
            None => Ok(None),
            Some(chunks) => chunks.next().await.map_err(|_| SourceFailure::Interrupted),
        }
    }
}
