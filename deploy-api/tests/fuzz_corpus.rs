//! Checks the properties of the fuzz targets with the inputs of their corpora, and with mutations of these inputs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in the setup of a test fails the test"
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
    assert!(inputs.len() >= 10, "{target} has only {} inputs", inputs.len());
    inputs
}

/// An input of the corpus with a few mutations: a byte is replaced, a slice is removed, or another input is inserted.
fn mutated(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
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
            let (until, inserted) = match kind {
                0 => (to.min(from + 1), vec![byte]),
                1 => (to, Vec::new()),
                _ => (from, other.get(&inputs).clone()),
            };
            input.splice(from..until, inserted);
        }
        input
    })
}

#[test]
fn the_corpora_satisfy_the_properties() {
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
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn mutated_uploads_satisfy_the_properties(input in mutated("multipart")) {
        properties::multipart::check(&input);
    }

    #[test]
    fn mutated_policies_satisfy_the_properties(input in mutated("policy")) {
        properties::policy::check(&input);
    }

    #[test]
    fn mutated_tokens_satisfy_the_properties(input in mutated("token")) {
        properties::token::check(&input);
    }
}
