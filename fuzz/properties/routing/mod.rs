//! Properties of routing that hold for any input. The fuzz targets search for an input that violates one; the ordinary
//! tests check the corpus and random inputs with the same functions.

#![allow(dead_code, reason = "each target and each test uses some of them")]

pub mod decision;
pub mod isolation;
pub mod location;
pub mod routes;
pub mod url;
