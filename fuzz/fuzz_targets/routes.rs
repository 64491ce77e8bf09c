//! Any text as `ROUTES`, and any URL that is routed with it.

#![no_main]

#[path = "../properties/routing/mod.rs"]
mod routing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| routing::routes::check(bytes));
