//! Any text as the URL of a request.

#![no_main]

#[path = "../properties/routing/mod.rs"]
mod routing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| routing::url::check(bytes));
