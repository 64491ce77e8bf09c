//! What must hold of everything in the deploy API that parses foreign bytes, for any input. The fuzz targets look for an
//! input that breaks it; the ordinary tests replay the corpus through the same functions.

#![allow(dead_code, reason = "each target uses one of them")]

pub mod multipart;
pub mod policy;
pub mod token;
