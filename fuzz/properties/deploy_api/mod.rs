//! Properties of every parser of external input in the deploy API, for any input. The fuzz targets search for an
//! input that violates one; the ordinary tests replay the corpora through the same functions.

#![allow(dead_code, unreachable_pub, reason = "each fuzz target uses one module")]

#[path = "../../../deploy-api/tests/support/memory_store.rs"]
pub mod memory_store;
pub mod multipart;
pub mod policy;
pub mod token;
