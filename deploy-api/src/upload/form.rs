use bytes::Bytes;

use super::{Metadata, Part};
use crate::bundles::Digest;

/// Writes a script's upload for the upstream: the metadata, then the parts. Gives the content type and the body.
#[must_use]
pub fn script_form(metadata: &Metadata, parts: &[Part]) -> (String, Vec<u8>) {
    let mut form = Form::new(boundary_of(parts.iter().map(|part| &part.bytes)));
    form.add("metadata", None, None, metadata.to_json().as_bytes());
    for part in parts {
        form.add(
            &part.name,
            part.file_name.as_deref(),
            part.content_type.as_deref(),
            &part.bytes,
        );
    }
    form.finish()
}

/// Writes static assets for the upstream, each with its hash, its content type and its content in base64. Gives the
/// content type and the body.
#[must_use]
pub fn asset_form<'a>(
    assets: impl Iterator<Item = (&'a str, Option<&'a str>, &'a Bytes)> + Clone,
) -> (String, Vec<u8>) {
    let mut form = Form::new(boundary_of(assets.clone().map(|(_, _, content)| content)));
    for (hash, content_type, content) in assets {
        form.add(hash, Some(hash), content_type, content);
    }
    form.finish()
}

/// A form (`multipart/form-data`) that is being written.
#[derive(Debug)]
struct Form {
    boundary: String,
    body: Vec<u8>,
}

/// A boundary that does not occur in the contents, because it is derived from them: whoever could write a content that
/// has it could as well find a preimage of SHA-256.
fn boundary_of<'a>(contents: impl IntoIterator<Item = &'a Bytes>) -> String {
    let digests: String = contents
        .into_iter()
        .map(|content| Digest::of(content).to_string())
        .collect();
    let digest = Digest::of(digests.as_bytes());
    format!("dotdo-{}", digest.as_str().get(..48).unwrap_or_default())
}

impl Form {
    /// An empty form with a boundary from [`boundary_of`].
    const fn new(boundary: String) -> Self {
        Self {
            boundary,
            body: Vec::new(),
        }
    }

    /// Adds a part. Names and types have been checked: none has a quote or a control character.
    fn add(&mut self, name: &str, file_name: Option<&str>, content_type: Option<&str>, content: &[u8]) {
        let mut head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"",
            self.boundary
        );
        if let Some(file_name) = file_name {
            head.push_str("; filename=\"");
            head.push_str(file_name);
            head.push('"');
        }
        if let Some(content_type) = content_type {
            head.push_str("\r\nContent-Type: ");
            head.push_str(content_type);
        }
        head.push_str("\r\n\r\n");
        self.body.reserve(head.len() + content.len() + 80);
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }

    /// The content type and the body.
    fn finish(mut self) -> (String, Vec<u8>) {
        self.body
            .extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (
            format!("multipart/form-data; boundary={}", self.boundary),
            self.body,
        )
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::upload;

    #[test]
    fn what_is_written_is_read_back() {
        let module = Bytes::from_static(b"--dotdo\r\n\0\xff binary --\r\n");
        let mut form = Form::new(boundary_of([&module]));
        form.add("metadata", None, None, br#"{"main_module": "index.js"}"#);
        form.add(
            "index.js",
            Some("index.js"),
            Some("application/javascript+module"),
            &module,
        );
        let (content_type, body) = form.finish();
        let upload = block_on(upload::read(Some(&content_type), body)).unwrap();
        assert_eq!(upload.parts.len(), 1);
        assert_eq!(upload.parts[0].bytes, module);
        assert_eq!(upload.parts[0].file_name.as_deref(), Some("index.js"));
    }
}
