//! Any bytes as the body of an upload.

#![no_main]

#[path = "../properties/deploy_api/mod.rs"]
mod deploy_api_properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| deploy_api_properties::multipart::check(bytes));
