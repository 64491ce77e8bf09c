//! JSON, as far as the dispatch Worker reads and writes it.
//!
//! A module of our own, because of its size: it reads a few keys when an isolate starts, and what `serde_json` needs for
//! that (a deserializer per struct, floating-point numbers in both directions) is a third of the whole Worker. Tests
//! hold it to `serde_json`'s reading of the same texts.

#![allow(dead_code, unused_imports, reason = "routing no longer reads JSON with it")]

mod error;
mod members;
mod reader;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub use error::JsonError;
pub use members::Members;
pub use value::{Kind, Value};
pub use writer::ObjectWriter;
