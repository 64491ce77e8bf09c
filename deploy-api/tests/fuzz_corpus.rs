//! Replays what the fuzz targets start from, and what they found, through the same properties; and inputs near them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test is built from may fail it, too"
)]

#[path = "../../fuzz/properties/deploy_api/mod.rs"]
mod properties;

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(folder).unwrap();
    let inputs: Vec<_> = entries
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(inputs.len() >= 10, "{target} has {} inputs only", inputs.len());
    inputs
}

/// An input of the corpus with a few places changed: a byte replaced, a piece cut out, or a piece of another put in.
fn near(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let inputs = corpus(target);
    let edit = (
        any::<Index>(),
        any::<Index>(),
        any::<Index>(),
        0..3_u8,
        any::<u8>(),
    );
    let edits = proptest::collection::vec(edit, 0..4);
    (any::<Index>(), edits).prop_map(move |(which, edits)| {
        let mut input = which.get(&inputs).clone();
        for (from, to, other, kind, byte) in edits {
            let (from, to) = (from.index(input.len() + 1), to.index(input.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let (until, put_in) = match kind {
                0 => (to.min(from + 1), vec![byte]),
                1 => (to, Vec::new()),
                _ => (from, other.get(&inputs).clone()),
            };
            input.splice(from..until, put_in);
        }
        input
    })
}

#[test]
fn the_corpora_are_replayed() {
    for input in corpus("multipart") {
        properties::multipart::check(&input);
    }
    for input in corpus("policy") {
        properties::policy::check(&input);
    }
    for input in corpus("token") {
        properties::token::check(&input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn uploads(input in near("multipart")) {
        properties::multipart::check(&input);
    }

    #[test]
    fn policies(input in near("policy")) {
        properties::policy::check(&input);
    }

    #[test]
    fn tokens(input in near("token")) {
        properties::token::check(&input);
    }
}
