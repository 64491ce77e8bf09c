//! Replays what the fuzz targets start from, and what they found, through the same properties.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../../fuzz/properties/deploy_api/mod.rs"]
mod properties;

use std::fs;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = format!("{}/../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        check(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 10, "{target} has {inputs} inputs only");
}

#[test]
fn uploads() {
    replay("multipart", properties::multipart::check);
}

#[test]
fn policies() {
    replay("policy", properties::policy::check);
}

#[test]
fn tokens() {
    replay("token", properties::token::check);
}
