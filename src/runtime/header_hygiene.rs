use wasm_bindgen::prelude::*;
use web_sys::{Headers, Request};

use crate::routing::StrippedPrefix;

/// Tells a user Worker which prefix of the path it does not see. Only the dispatch Worker may say so.
const FORWARDED_PREFIX: &str = "X-Forwarded-Prefix";

/// Headers that no client's request may bring to a user Worker: with the first two a client would choose which version
/// of a Worker answers it (<https://developers.cloudflare.com/workers/configuration/versions-and-deployments/>).
const WITHHELD: [&str; 3] = [
    "Cloudflare-Workers-Version-Overrides",
    "Cloudflare-Workers-Version-Key",
    FORWARDED_PREFIX,
];

#[wasm_bindgen]
extern "C" {
    /// [`Headers`], with names that are JavaScript strings already.
    #[wasm_bindgen(js_name = Headers)]
    type NamedHeaders;

    #[wasm_bindgen(method)]
    fn has(this: &NamedHeaders, name: &JsValue) -> bool;

    /// [`Request`], made from another one.
    #[wasm_bindgen(extends = Request, js_name = Request)]
    type RebuiltRequest;

    /// Keeps method, headers, body, `redirect`, `cf` and signal.
    #[wasm_bindgen(constructor, catch, js_class = "Request")]
    fn new(url: &str, request: &Request) -> Result<RebuiltRequest, JsValue>;
}

/// The names of the headers that are withheld, as JavaScript strings.
#[derive(Debug)]
pub struct HeaderHygiene {
    withheld: [JsValue; WITHHELD.len()],
}

impl HeaderHygiene {
    pub fn new() -> Self {
        Self {
            withheld: WITHHELD.map(JsValue::from_str),
        }
    }

    /// The request as the user Worker may see it, if it has to be another one. `url` is the request's.
    pub fn rebuilt(
        &self,
        request: &Request,
        url: &str,
        stripped: Option<StrippedPrefix<'_>>,
    ) -> Result<Option<Request>, JsValue> {
        let headers = request.headers();
        let named: &NamedHeaders = headers.unchecked_ref();
        if stripped.is_none() && !self.withheld.iter().any(|name| named.has(name)) {
            return Ok(None);
        }
        let rebuilt = match stripped {
            Some(stripped) => RebuiltRequest::new(&stripped.rewritten_url(), request)?,
            None => RebuiltRequest::new(url, request)?,
        };
        let headers: Headers = rebuilt.headers();
        for name in WITHHELD {
            headers.delete(name)?;
        }
        if let Some(stripped) = stripped {
            headers.set(FORWARDED_PREFIX, stripped.prefix())?;
        }
        Ok(Some(rebuilt.into()))
    }
}
