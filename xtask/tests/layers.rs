//! The modules of every crate have layers: a module uses only modules of lower layers, so that no two modules depend on each other. This
//! holds for the top-level modules of a crate, and for the files and folders of each folder.
#![allow(clippy::unwrap_used, reason = "a panic in the setup of a test fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    iter::Peekable,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree, token_stream};

/// The sources of the crates.
const CRATES: &[&str] = &[
    "src",
    "bench/src",
    "cli/src",
    "deploy-api/src",
    "names/src",
    "tests/src",
    "wrangler-config/src",
    "xtask/src",
];

/// The top-level modules of the largest crates, the lowest first. Those in one line do not use each other.
const LAYERS: &[(&str, &[&[&str]])] = &[
    (
        "src",
        &[
            &["routing"],
            &["configuration", "errors", "hostnames"],
            &["dispatch"],
        ],
    ),
    (
        "deploy-api/src",
        &[
            &[
                "schema",
                "sql",
                "runtime",
                "cursor",
                "attempt",
                "target",
                "time_filter",
                "dispatcher",
                "router",
            ],
            &["code", "identity", "bundles"],
            &["problem", "policy"],
            &["audit"],
            &["upstream"],
            &["upload"],
            &["download", "deployments", "assets"],
            &["logs", "lint", "store"],
            &["services", "access", "http"],
            &["account", "ledger"],
            &["deploys"],
            &["v1"],
            &["gateway"],
            &["worker"],
        ],
    ),
];

/// A module by the names of its path; the root of the crate is empty.
type Module = Vec<String>;

/// The modules of a crate, and what each of them uses.
struct Crate {
    /// The code of each file.
    files: BTreeMap<Module, TokenStream>,
    /// Every module that is a file or a folder.
    modules: BTreeSet<Module>,
    /// The module below that defines an item which a module exports again.
    exports: BTreeMap<(Module, String), Module>,
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut paths = Vec::new();
        collect(root, &mut paths);
        let files: BTreeMap<Module, TokenStream> = paths
            .iter()
            .map(|path| {
                let code = fs::read_to_string(path).unwrap();
                (module(path.strip_prefix(root).unwrap()), code.parse().unwrap())
            })
            .collect();
        let modules: BTreeSet<Module> = files
            .keys()
            .flat_map(|module| (0..=module.len()).map(|length| module.iter().take(length).cloned().collect()))
            .collect();
        let mut exports = BTreeMap::new();
        for (module, code) in &files {
            for mut path in exported(code) {
                if path.first().is_some_and(|name| name == "self") {
                    path.remove(0);
                }
                let [below, .., item] = path.as_slice() else {
                    continue;
                };
                let below: Module = module.iter().chain([below]).cloned().collect();
                if modules.contains(&below) {
                    exports.insert((module.clone(), item.clone()), below);
                }
            }
        }
        Self {
            files,
            modules,
            exports,
        }
    }

    /// The module that defines what a path names.
    fn resolve(&self, user: &Module, path: &[String]) -> Module {
        let mut names = path.iter().peekable();
        let mut found = user.clone();
        while let Some(keyword) = names.next_if(|name| ["crate", "super", "self"].contains(&name.as_str())) {
            match keyword.as_str() {
                "crate" => found.clear(),
                "super" => drop(found.pop()),
                _ => {}
            }
        }
        while let Some(name) = names.peek() {
            let below: Module = found.iter().chain([*name]).cloned().collect();
            if self.modules.contains(&below) {
                found = below;
                names.next();
            } else if let Some(module) = self.exports.get(&(found.clone(), (*name).clone())) {
                found.clone_from(module);
            } else {
                break;
            }
        }
        found
    }

    /// For each folder, which of its files and folders each of them uses, with the file that does.
    fn uses(&self) -> BTreeMap<Module, BTreeMap<(String, String), Module>> {
        let mut uses: BTreeMap<Module, BTreeMap<(String, String), Module>> = BTreeMap::new();
        for (user, code) in &self.files {
            for path in named(code) {
                let target = self.resolve(user, &path);
                let common = user.iter().zip(&target).take_while(|(a, b)| a == b).count();
                if let (Some(from), Some(to)) = (user.get(common), target.get(common)) {
                    uses.entry(user.iter().take(common).cloned().collect())
                        .or_default()
                        .insert((from.clone(), to.clone()), user.clone());
                }
            }
        }
        uses
    }
}

/// The Rust files below a folder, without the tests.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The module of a file.
fn module(path: &Path) -> Module {
    let mut names: Module = path
        .with_extension("")
        .iter()
        .map(|name| name.to_str().unwrap().to_owned())
        .collect();
    names.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
    names
}

type Tokens = Peekable<token_stream::IntoIter>;

/// The paths in `crate` and in modules above, wherever they are written, without those in unit tests.
fn named(code: &TokenStream) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut tokens = code.clone().into_iter().peekable();
    while let Some(token) = tokens.peek() {
        match token {
            TokenTree::Ident(name) if name == "crate" || name == "super" => paths.extend(tree(&mut tokens)),
            TokenTree::Ident(name) if name == "mod" => {
                tokens.next();
                let is_tests = tokens.next().is_some_and(|name| name.to_string() == "tests");
                if is_tests {
                    tokens.next();
                }
            }
            TokenTree::Group(group) => {
                paths.extend(named(&group.stream()));
                tokens.next();
            }
            _ => drop(tokens.next()),
        }
    }
    paths
}

/// The paths of the items that a module exports with `pub use`.
fn exported(code: &TokenStream) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut tokens = code.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        if token.to_string() != "pub" {
            continue;
        }
        // `pub(super) use`
        tokens.next_if(|token| matches!(token, TokenTree::Group(_)));
        if tokens.next_if(|token| token.to_string() == "use").is_some() {
            paths.extend(tree(&mut tokens));
        }
    }
    paths
}

/// The paths of a `use` tree, or the one path of an expression: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn tree(tokens: &mut Tokens) -> Vec<Vec<String>> {
    match tokens.next() {
        Some(TokenTree::Ident(name)) => {
            let name = name.to_string();
            let is_path = tokens.next_if(|token| token.to_string() == ":").is_some()
                && tokens.next_if(|token| token.to_string() == ":").is_some();
            if !is_path {
                return vec![vec![name]];
            }
            let mut below = tree(tokens);
            for path in &mut below {
                path.insert(0, name.clone());
            }
            below
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let mut paths = Vec::new();
            let mut members = group.stream().into_iter().peekable();
            while members.peek().is_some() {
                paths.extend(tree(&mut members));
                // The comma, and a name after `as`.
                while members.next().is_some_and(|token| token.to_string() != ",") {}
            }
            paths
        }
        _ => vec![Vec::new()],
    }
}

fn read(folder: &str) -> Crate {
    Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder))
}

/// The modules of circles, and those between two circles: the others use none that remains, or none that remains uses them.
fn circle(uses: &BTreeMap<(String, String), Module>) -> BTreeSet<&String> {
    let mut open: BTreeSet<&String> = uses.keys().flat_map(|(from, to)| [from, to]).collect();
    loop {
        let inner = || {
            uses.keys()
                .filter(|(from, to)| open.contains(from) && open.contains(to))
        };
        let origins: BTreeSet<&String> = inner().map(|(from, _)| from).collect();
        let targets: BTreeSet<&String> = inner().map(|(_, to)| to).collect();
        let remaining: BTreeSet<&String> = origins.intersection(&targets).copied().collect();
        if remaining.len() == open.len() {
            return open;
        }
        open = remaining;
    }
}

#[test]
fn no_two_modules_use_each_other() {
    let mut wrong = Vec::new();
    for folder in CRATES {
        for (parent, uses) in read(folder).uses() {
            let circle = circle(&uses);
            for ((from, to), user) in &uses {
                if circle.contains(from) && circle.contains(to) {
                    let parent = [&[(*folder).to_owned()], parent.as_slice()].concat().join("/");
                    wrong.push(format!("in {parent}: {from} uses {to} in {}", user.join("::")));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "modules use each other in a circle; move the shared item to a module below them:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_module_uses_a_module_of_a_higher_layer() {
    let mut wrong = Vec::new();
    for (folder, layers) in LAYERS {
        let code = read(folder);
        let layer = |module: &str| {
            let found = layers.iter().position(|layer| layer.contains(&module));
            found.unwrap_or_else(|| panic!("add {folder}/{module} to LAYERS in {}", file!()))
        };
        for module in code.modules.iter().filter_map(|module| module.first()) {
            layer(module);
        }
        for ((from, to), user) in code.uses().remove(&Vec::new()).unwrap_or_default() {
            if layer(&to) >= layer(&from) {
                wrong.push(format!(
                    "in {folder}: {} uses {to}, which is not below {from}",
                    user.join("::")
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "move the used item to a lower module, or the file that uses it to a higher one:\n{}",
        wrong.join("\n")
    );
}
