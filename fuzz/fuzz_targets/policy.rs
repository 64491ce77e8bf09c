//! Any text as a policy.

#![no_main]

#[path = "../properties/deploy_api/mod.rs"]
mod deploy_api_properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| deploy_api_properties::policy::check(bytes));
