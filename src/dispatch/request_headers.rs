use wasm_bindgen::prelude::*;
use web_sys::{Headers, Request};

use crate::routing::StrippedPrefix;

/// The prefix of the path that a user Worker does not see. Only the dispatch Worker sets this header.
const FORWARDED_PREFIX: &str = "X-Forwarded-Prefix";

/// Headers that a client must not send to a user Worker: the first two select the version of a Worker that answers
/// (<https://developers.cloudflare.com/workers/configuration/versions-and-deployments/>).
const FORBIDDEN_REQUEST_HEADERS: [&str; 3] = [
    "Cloudflare-Workers-Version-Overrides",
    "Cloudflare-Workers-Version-Key",
    FORWARDED_PREFIX,
];

#[wasm_bindgen]
extern "C" {
    /// [`Headers`], with names that are already JavaScript strings.
    #[wasm_bindgen(js_name = Headers)]
    type NamedHeaders;

    #[wasm_bindgen(method)]
    fn has(this: &NamedHeaders, name: &JsValue) -> bool;

    /// A [`Request`] that is made from another one.
    #[wasm_bindgen(extends = Request, js_name = Request)]
    type RebuiltRequest;

    /// Keeps method, headers, body, `redirect`, `cf` and signal.
    #[wasm_bindgen(constructor, catch, js_class = "Request")]
    fn new(url: &str, request: &Request) -> Result<RebuiltRequest, JsValue>;
}

/// Removes forbidden headers and stripped prefixes from requests.
#[derive(Debug)]
pub struct RequestHeaders {
    /// [`FORBIDDEN_REQUEST_HEADERS`] as JavaScript strings, which are created once.
    forbidden: [JsValue; FORBIDDEN_REQUEST_HEADERS.len()],
}

impl RequestHeaders {
    pub fn new() -> Self {
        Self {
            forbidden: FORBIDDEN_REQUEST_HEADERS.map(JsValue::from_str),
        }
    }

    /// The request for the user Worker, if it must differ from the client's. `url` is the request's URL.
    pub fn sanitized(
        &self,
        request: &Request,
        url: &str,
        stripped: Option<StrippedPrefix<'_>>,
    ) -> Result<Option<Request>, JsValue> {
        let headers = request.headers();
        let named: &NamedHeaders = headers.unchecked_ref();
        if stripped.is_none() && !self.forbidden.iter().any(|name| named.has(name)) {
            return Ok(None);
        }
        let sanitized = match stripped {
            Some(stripped) => RebuiltRequest::new(&stripped.rewritten_url(), request)?,
            None => RebuiltRequest::new(url, request)?,
        };
        let headers: Headers = sanitized.headers();
        for name in FORBIDDEN_REQUEST_HEADERS {
            headers.delete(name)?;
        }
        if let Some(stripped) = stripped {
            headers.set(FORWARDED_PREFIX, stripped.prefix())?;
        }
        Ok(Some(sanitized.into()))
    }
}
