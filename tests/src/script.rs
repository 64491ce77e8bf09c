use reqwest::multipart::{Form, Part};
use serde_json::{Map, Value, json};

/// A script to deploy: modules, of which the first is the main module, and metadata.
#[derive(Clone, Debug)]
pub struct Script {
    modules: Vec<Module>,
    metadata: Map<String, Value>,
}

#[derive(Clone, Debug)]
struct Module {
    name: String,
    media_type: &'static str,
    content: Vec<u8>,
}

/// A compatibility date that every tested runtime supports.
const COMPATIBILITY_DATE: &str = "2026-01-01";

impl Script {
    /// A script of one ES module.
    #[must_use]
    pub fn module(source: &str) -> Self {
        let mut metadata = Map::new();
        metadata.insert("main_module".to_owned(), json!("index.js"));
        metadata.insert("compatibility_date".to_owned(), json!(COMPATIBILITY_DATE));
        Self {
            modules: Vec::new(),
            metadata,
        }
        .with_module("index.js", "application/javascript+module", source)
    }

    /// A script in the older service-worker format.
    #[must_use]
    pub fn service_worker(source: &str) -> Self {
        let mut metadata = Map::new();
        metadata.insert("body_part".to_owned(), json!("script"));
        metadata.insert("compatibility_date".to_owned(), json!(COMPATIBILITY_DATE));
        Self {
            modules: Vec::new(),
            metadata,
        }
        .with_module("script", "application/javascript", source)
    }

    /// A script that responds to every request with a text.
    #[must_use]
    pub fn answering(text: &str) -> Self {
        let text = Value::from(text);
        Self::module(&format!(
            "export default {{ fetch() {{ return new Response({text}); }} }};"
        ))
    }

    /// The bytes of its main module.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        self.modules.first().map_or(&[], |module| &module.content)
    }

    /// With one more module.
    #[must_use]
    pub fn with_module(mut self, name: &str, media_type: &'static str, content: impl Into<Vec<u8>>) -> Self {
        self.modules.push(Module {
            name: name.to_owned(),
            media_type,
            content: content.into(),
        });
        self
    }

    /// With a field of the metadata.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.metadata.insert(key.to_owned(), value);
        self
    }

    /// With a plain-text binding.
    #[must_use]
    pub fn with_text(self, name: &str, text: &str) -> Self {
        self.with_binding(json!({ "type": "plain_text", "name": name, "text": text }))
    }

    /// With a binding.
    #[must_use]
    pub fn with_binding(mut self, binding: Value) -> Self {
        let bindings = self.metadata.entry("bindings").or_insert_with(|| json!([]));
        if let Value::Array(bindings) = bindings {
            bindings.push(binding);
        }
        self
    }

    /// The multipart body of an upload.
    ///
    /// # Panics
    /// When a module's media type is invalid.
    #[must_use]
    pub fn to_form(&self) -> Form {
        let metadata = Value::Object(self.metadata.clone()).to_string();
        let form = Form::new()
            .percent_encode_noop()
            .part("metadata", Part::text(metadata).file_name("blob"));
        self.modules.iter().fold(form, |form, module| {
            let part = Part::bytes(module.content.clone())
                .file_name(module.name.clone())
                .mime_str(module.media_type)
                .expect("a media type");
            form.part(module.name.clone(), part)
        })
    }
}
