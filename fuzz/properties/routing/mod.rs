//! What must hold of the routing for any input. The fuzz targets look for an input that breaks it; the ordinary tests replay the
//! corpus, and try random inputs, through the same functions.

#![allow(dead_code, reason = "each target and each test uses some of them")]

pub mod decision;
pub mod isolation;
pub mod location;
pub mod routes;
pub mod url;
