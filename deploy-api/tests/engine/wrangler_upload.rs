//! Uploads in the form in which wrangler sends them.

use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct Upload {
    pub metadata: Value,
    pub modules: Vec<(String, String, Vec<u8>)>,
    pub boundary: String,
}

impl Upload {
    /// A Worker of one module.
    pub fn of(code: &str) -> Self {
        Self {
            metadata: json!({
                "main_module": "index.js", "bindings": [], "compatibility_date": "2027-01-01",
                "compatibility_flags": [], "keep_bindings": ["secret_text", "secret_key"]
            }),
            modules: vec![(
                "index.js".to_owned(),
                "application/javascript+module".to_owned(),
                code.as_bytes().to_vec(),
            )],
            boundary: "----formdata-undici-01".to_owned(),
        }
    }

    /// The upload with another member in the metadata.
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.metadata[member] = value;
        self
    }

    /// The upload with another binding.
    pub fn bound(mut self, binding: Value) -> Self {
        self.metadata["bindings"].as_array_mut().unwrap().push(binding);
        self
    }

    /// The upload with another boundary. Each attempt of wrangler has a different one.
    pub fn retried(&self) -> Self {
        Self {
            boundary: format!("{}-again", self.boundary),
            ..self.clone()
        }
    }

    pub fn form(&self) -> (String, Vec<u8>) {
        let mut body = Vec::new();
        let mut part = |head: &str, content: &[u8]| {
            let head = format!(
                "--{}\r\nContent-Disposition: form-data; {head}\r\n\r\n",
                self.boundary
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        part("name=\"metadata\"", self.metadata.to_string().as_bytes());
        for (name, content_type, content) in &self.modules {
            part(
                &format!("name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: {content_type}"),
                content,
            );
        }
        body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (format!("multipart/form-data; boundary={}", self.boundary), body)
    }
}
