//! The schemas of answers that are documents.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// An answer that the OpenAPI document describes by its type only.
macro_rules! document {
    ($(#[doc = $doc:literal])+ $name:ident: $type:literal) => {
        $(#[doc = $doc])+
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": $type, "description": concat!($($doc),+).trim_ascii() })
            }
        }
    };
}

document! {
    /// An OpenAPI document.
    OpenApiDocument: "object"
}

document! {
    /// A JSON Schema.
    JsonSchemaDocument: "object"
}

document! {
    /// NDJSON: a header, one entry per line, and the signature. docs/deploy-api.md describes it.
    AuditSegmentObject: "string"
}
