//! JSON schemas of values that several types contain. The OpenAPI document is generated from the schemas of all types.
//!
//! A type that is not written as Rust would write it, such as a time, is described by `#[schemars(with = "Time")]`.

use std::borrow::Cow;

use dotdo_names::Namespace;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Implements [`JsonSchema`] for a type that is written as a string with this pattern.
macro_rules! text_schema {
    ($type:ty, $name:literal, $description:literal, $pattern:expr) => {
        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "description": $description, "pattern": $pattern })
            }
        }
    };
}

/// Implements [`JsonSchema`] for a type that is written as one of these names.
macro_rules! name_schema {
    ($type:ty, $name:literal, $description:literal, $names:expr) => {
        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let names: Vec<&str> = $names.into_iter().collect();
                ::schemars::json_schema!({ "type": "string", "description": $description, "enum": names })
            }
        }
    };
}

/// Implements [`JsonSchema`] for a type that is serialized as another type.
macro_rules! same_schema {
    ($type:ty, $shown:ty) => {
        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                <$shown as ::schemars::JsonSchema>::schema_name()
            }

            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                <$shown as ::schemars::JsonSchema>::json_schema(generator)
            }
        }
    };
}

pub(crate) use {name_schema, same_schema, text_schema};

/// The format of [`WorkerPattern`](crate::policy::WorkerPattern) as a regular expression.
pub(crate) const WORKER_PATTERN: &str = r"^(\*|[a-z0-9]([a-z0-9-]*[a-z0-9])?|[a-z0-9][a-z0-9-]*-\*)$";

/// The format of the path of a health check as a regular expression.
pub(crate) const PATH_PATTERN: &str = r#"^/([!-"$-.0-\[\]-~][!-"$-\[\]-~]*)?$"#;

/// A time in RFC 3339.
pub(crate) struct Time;

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// The name of a dispatch namespace, or of the account.
pub(crate) struct NamespaceName;

name_schema!(
    NamespaceName,
    "NamespaceName",
    "A dispatch namespace of the platform, or `account` for the Workers of the platform itself.",
    Namespace::ALL.map(Namespace::name)
);

/// The name of a Worker.
pub(crate) struct WorkerName;

impl JsonSchema for WorkerName {
    fn schema_name() -> Cow<'static, str> {
        "WorkerName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A Worker name to which the dispatch Worker can route.",
            "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
            "maxLength": 63,
        })
    }
}

/// A SHA-256.
pub(crate) struct HexDigest;

text_schema!(HexDigest, "Digest", "A SHA-256 in hexadecimal.", "^[0-9a-f]{64}$");

/// An absolute URL.
pub(crate) struct Uri;

impl JsonSchema for Uri {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Uri".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri" })
    }
}
