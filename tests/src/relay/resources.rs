//! Resources of the account and the bindings to them, which the local platform does not simulate.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::loopback::{Body, whole};

/// The types of bindings that the local platform supports. The relay keeps the others for itself.
const SUPPORTED: [&str; 6] = [
    "assets",
    "durable_object_namespace",
    "json",
    "plain_text",
    "secret_text",
    "version_metadata",
];

/// Between the headers of the metadata's part and its text.
const METADATA: &[u8] = b"name=\"metadata\"\r\n\r\n";

/// The resources, and the bindings of each script.
#[derive(Debug, Default)]
pub(super) struct Resources {
    /// The status and the envelope's result of each look-up, by the path below the account's.
    answers: BTreeMap<String, (u16, Value)>,
    /// The bindings by the path of their script.
    bindings: BTreeMap<String, Vec<Value>>,
}

impl Resources {
    pub(super) fn set(&mut self, path: &str, status: u16, result: Value) {
        self.answers.insert(path.to_owned(), (status, result));
    }

    /// The response to a look-up, if it is one of a product that is set.
    pub(super) fn answer(&self, method: &str, path: &str) -> Option<Response<Body>> {
        let below = below_account(path)?;
        if method != "GET" || self.answers.is_empty() {
            return None;
        }
        if let Some((status, result)) = self.answers.get(below) {
            return Some(envelope(*status, result));
        }
        let product = below.split('/').next()?;
        let is_known = self
            .answers
            .keys()
            .any(|path| path.split('/').next() == Some(product));
        is_known.then(|| envelope(404, &Value::Null))
    }

    /// Takes the bindings to resources from an upload, and returns the upload without them; `None` if it has none, or if no resource
    /// is simulated.
    pub(super) fn take(&mut self, path: &str, body: &Bytes) -> Option<Bytes> {
        if self.answers.is_empty() {
            return None;
        }
        let (start, length) = metadata(body)?;
        let mut metadata: Value = serde_json::from_slice(body.get(start..start + length)?).ok()?;
        let key = path.split('?').next()?.to_owned();
        let before = self.bindings.remove(&key).unwrap_or_default();
        let mut taken = Vec::new();
        metadata.get_mut("bindings")?.as_array_mut()?.retain(|binding| {
            let kind = binding.get("type").and_then(Value::as_str);
            let found = match kind {
                Some("inherit") => before
                    .iter()
                    .find(|other| other.get("name") == binding.get("name")),
                Some(kind) if !SUPPORTED.contains(&kind) => Some(binding),
                _ => None,
            };
            taken.extend(found.cloned());
            found.is_none()
        });
        if taken.is_empty() {
            return None;
        }
        self.bindings.insert(key, taken);
        let (head, tail) = (body.get(..start)?, body.get(start + length..)?);
        Some([head, metadata.to_string().as_bytes(), tail].concat().into())
    }

    /// The bindings of the script whose settings have this path.
    pub(super) fn bindings(&self, path: &str) -> Option<Vec<Value>> {
        self.bindings.get(path.strip_suffix("/settings")?).cloned()
    }
}

/// The settings of a script with more bindings.
pub(super) async fn with_bindings(answer: Response<Body>, bindings: Vec<Value>) -> Option<Response<Body>> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let mut settings: Value = serde_json::from_slice(&body).ok()?;
    let list = settings
        .pointer_mut("/result/bindings")
        .and_then(Value::as_array_mut);
    list?.extend(bindings);
    Some(Response::from_parts(head, whole(settings.to_string())))
}

fn below_account(path: &str) -> Option<&str> {
    let path = path.split('?').next()?;
    path.split_once("/accounts/")?
        .1
        .split_once('/')
        .map(|(_, below)| below)
}

/// The position and the length of the metadata in a form.
fn metadata(body: &[u8]) -> Option<(usize, usize)> {
    let find = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).position(|window| window == part);
    let start = find(body, METADATA)? + METADATA.len();
    let length = find(body.get(start..)?, b"\r\n--")?;
    Some((start, length))
}

fn envelope(status: u16, result: &Value) -> Response<Body> {
    let errors = match status {
        200 => json!([]),
        403 => json!([{ "code": 10000, "message": "Authentication error" }]),
        _ => json!([{ "code": 10001, "message": "The resource does not exist." }]),
    };
    let body = json!({ "success": status == 200, "result": result, "errors": errors, "messages": [] });
    let mut answer = Response::new(whole(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    answer
}
