//! A module uses only modules of lower layers, so that no two top-level modules depend on each other.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic in the setup of a test fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The top-level modules of `src`, the lowest first.
const LAYERS: &[&str] = &[
    "schema",
    "code",
    "target",
    "attempt",
    "time_filter",
    "cursor",
    "sql",
    "runtime",
    "dispatcher",
    "problem",
    "identity",
    "policy",
    "audit",
    "upstream",
    "bundles",
    "upload",
    "download",
    "deployments",
    "logs",
    "lint",
    "assets",
    "store",
    "services",
    "account",
    "access",
    "ledger",
    "deploys",
    "http",
    "router",
    "v1",
    "gateway",
    "worker",
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn no_module_uses_a_module_of_a_higher_layer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let layer = |module: &str| LAYERS.iter().position(|name| *name == module);
    let mut wrong = Vec::new();
    for path in paths {
        let place = path.strip_prefix(&root).unwrap();
        let module = place
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let own = layer(module).unwrap_or_else(|| panic!("add {module:?} to LAYERS in tests/layers.rs"));
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            for rest in code.split("crate::").skip(1) {
                // A group lists several modules: `crate::{code::Code, problem::Problem}`.
                let names = rest.trim_start_matches('{').split([',', '}']);
                let names = names.take(if rest.starts_with('{') { usize::MAX } else { 1 });
                for name in names {
                    let used = name.trim().split([':', ';', ' ', '(']).next().unwrap();
                    if layer(used).is_some_and(|used| used > own) {
                        wrong.push(format!(
                            "src/{}:{number} uses crate::{used}, which is above {module}: move the used item to a \
                             lower module, or this file to a higher one",
                            place.display()
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
