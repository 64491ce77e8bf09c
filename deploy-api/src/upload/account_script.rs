//! Reads the modules of an account Worker as an upload.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use super::form_error::malformed;
use super::reader::boundary;
use super::{Source, SourceFailure, StreamOptions, StreamedUpload, read_streamed};
use crate::bundles::{ObjectStore, StagedWriter};
use crate::problem::Problem;

/// The name of the module of a Worker that is not in the format of ES modules.
const SERVICE_WORKER: &str = "worker.js";

/// Reads the answer of `content/v2` as an upload with this metadata: a form with the modules, of which the header `cf-entrypoint` names
/// the main one, or the text of a service worker. `entropy` are random bytes.
///
/// The metadata becomes the first part of the same form, so that the form has the limits and the checks of a client's upload.
///
/// # Errors
/// The errors of [`read_streamed`]; `UPLOAD_MALFORMED` if the answer is neither a form with an entrypoint nor a script.
pub async fn read_account_script<'a, B: Source, S: ObjectStore>(
    mut metadata: Map<String, Value>,
    content_type: Option<&str>,
    entrypoint: Option<&str>,
    body: B,
    writer: StagedWriter<'a, S>,
    entropy: [u8; 16],
) -> Result<StreamedUpload<'a, S>, Problem> {
    let is_form =
        content_type.is_some_and(|text| text.to_ascii_lowercase().starts_with("multipart/form-data"));
    let framed = match (is_form, entrypoint) {
        (true, Some(entrypoint)) => {
            metadata.insert("main_module".to_owned(), Value::from(entrypoint));
            boundary(content_type).map(|boundary| (first_part(&boundary, metadata), boundary, String::new()))
        }
        (true, None) => Err(malformed("the answer has no header cf-entrypoint")),
        (false, _) if is_script(content_type) => {
            metadata.insert("body_part".to_owned(), Value::from(SERVICE_WORKER));
            let boundary = format!("dotdo-{}", HEXLOWER.encode(&entropy));
            let before = first_part(&boundary, metadata) + &script_head(&boundary);
            let after = format!("\r\n--{boundary}--\r\n");
            Ok((before, boundary, after))
        }
        (false, _) => Err(malformed("the answer is neither a form nor a script")),
    };
    let (before, boundary, after) = match framed {
        Ok(framed) => framed,
        Err(problem) => {
            writer.abort().await;
            return Err(problem);
        }
    };
    let content_type = format!("multipart/form-data; boundary=\"{boundary}\"");
    let framed = Framed::new(before, body, after);
    read_streamed(Some(&content_type), framed, writer, StreamOptions::default()).await
}

/// The part with the metadata. Its JSON has no line feed, so it cannot contain a delimiter.
fn first_part(boundary: &str, metadata: Map<String, Value>) -> String {
    let metadata = Value::Object(metadata);
    format!("--{boundary}\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{metadata}\r\n")
}

fn script_head(boundary: &str) -> String {
    format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{SERVICE_WORKER}\"; filename=\"{SERVICE_WORKER}\"\r\n\
         Content-Type: application/javascript\r\n\r\n"
    )
}

fn is_script(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or_default().trim();
        ["application/javascript", "text/javascript", "text/plain"]
            .iter()
            .any(|known| essence.eq_ignore_ascii_case(known))
    })
}

/// A body between bytes that are in memory.
struct Framed<S: Source> {
    before: Option<Bytes>,
    body: Option<S>,
    after: Option<Bytes>,
}

impl<S: Source> Framed<S> {
    fn new(before: String, body: S, after: String) -> Self {
        Self {
            before: Some(Bytes::from(before)),
            body: Some(body),
            after: Some(Bytes::from(after)).filter(|after| !after.is_empty()),
        }
    }
}

impl<S: Source> Source for Framed<S> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        if let Some(before) = self.before.take() {
            return Ok(Some(before));
        }
        if let Some(body) = &mut self.body {
            if let Some(chunk) = body.next().await? {
                return Ok(Some(chunk));
            }
            self.body = None;
        }
        Ok(self.after.take())
    }
}
