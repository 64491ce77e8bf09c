use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::select;
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::chunks::Chunks;
use super::runtime::random_uuid;
use crate::audit::Client;
use crate::runtime::Runtime;
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

    /// Whether the client announces the length of the body.
    pub fn has_length(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "content-length")
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

/// The most bytes that are read after an error response was decided.
const MAX_REST: u64 = 256 * 1024 * 1024;

/// How long the rest of a body may take, in milliseconds.
const REST_TIMEOUT: u32 = 30_000;

/// The body of a request, read chunk by chunk.
#[derive(Clone)]
pub struct IncomingBody(Option<Rc<Chunks>>);

impl IncomingBody {
    /// The body of a request.
    pub fn of(request: &web_sys::Request) -> Self {
        Self(request.body().as_ref().map(|stream| Rc::new(Chunks::of(stream))))
    }

    /// Reads and discards the rest. A client that is still sending when the response arrives may see a reset connection instead
    /// of the response.
    pub async fn discard_rest(&self, runtime: &impl Runtime) {
        let Some(chunks) = &self.0 else { return };
        let rest = async {
            let mut length = 0;
            while let Ok(Some(count)) = chunks.skip().await {
                length += u64::from(count);
                if length > MAX_REST {
                    break;
                }
            }
        };
        select(pin!(rest), pin!(runtime.pause(REST_TIMEOUT))).await;
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
