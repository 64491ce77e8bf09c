//! A module uses only modules of lower layers, so that no two top-level modules depend on each other. The same holds for the
//! files of a module, whose order follows from what they use.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic in the setup of a test fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};
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

/// The files of a module that a file uses, by the paths that begin with `super`.
fn used_siblings(text: &str, siblings: &BTreeSet<String>) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut used = BTreeSet::new();
    for rest in code.split("super::").skip(1) {
        // A group has names of several files, and items that the module itself exports.
        let group = rest
            .strip_prefix('{')
            .and_then(|group| group.split('}').next())
            .unwrap_or(rest);
        let names = group
            .split(',')
            .take(if rest.starts_with('{') { usize::MAX } else { 1 });
        for name in names {
            let name = name.trim().split([':', ';', ' ', '(', '\n']).next().unwrap();
            used.extend(siblings.get(name).cloned());
        }
    }
    used
}

#[test]
fn no_two_files_of_a_module_use_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut modules: BTreeMap<PathBuf, BTreeMap<String, PathBuf>> = BTreeMap::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let folder = path.parent().unwrap().to_owned();
        if folder != root && name != "mod" {
            modules.entry(folder).or_default().insert(name, path);
        }
    }
    for (folder, files) in modules {
        let names: BTreeSet<String> = files.keys().cloned().collect();
        let mut open: BTreeMap<String, BTreeSet<String>> = files
            .iter()
            .map(|(name, path)| {
                let mut used = used_siblings(&fs::read_to_string(path).unwrap(), &names);
                used.remove(name);
                (name.clone(), used)
            })
            .collect();
        // Files are removed from the bottom up. Those that remain use each other in a circle, or a file that does.
        while let Some(lowest) = open
            .iter()
            .find(|(_, used)| used.is_empty())
            .map(|(name, _)| name.clone())
        {
            open.remove(&lowest);
            for used in open.values_mut() {
                used.remove(&lowest);
            }
        }
        assert!(
            open.is_empty(),
            "files of {} use each other: {open:?}. Move the shared item to a file below them",
            folder.display()
        );
    }
}
