//! Properties of every parser of external input in the deploy API, for any input. The fuzz targets search for an
//! input that violates one; the ordinary tests replay the corpora through the same functions.

#![allow(dead_code, reason = "each fuzz target uses one module")]

pub mod multipart;
pub mod policy;
pub mod token;
