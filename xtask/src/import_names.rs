//! Shorter names for what a Worker's Wasm imports from its JavaScript.
//!
//! wasm-bindgen ends each name in a hash of 16 digits, which keeps apart what two versions of a crate declare. No
//! compression makes such digits smaller, and they stand in both files: a fiftieth of the dispatch Worker.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, anyhow};
use walrus::Module;

/// What wasm-bindgen's names end in, beside a `_`: hexadecimal digits.
const HASH: usize = 16;

/// Leaves the hashes out of the imports' names, in the Wasm and in its glue. Where only they kept two names apart, a number
/// takes their place.
///
/// # Errors
/// When either file cannot be read, understood or written.
pub fn shorten(wasm: &Path, glue: &Path) -> Result<()> {
    let mut module = Module::from_file(wasm)
        .map_err(|error| anyhow!(error))
        .with_context(|| format!("cannot read {}", wasm.display()))?;
    let mut script = fs::read_to_string(glue).with_context(|| format!("cannot read {}", glue.display()))?;
    let mut taken = BTreeSet::new();
    for import in module.imports.iter_mut() {
        let Some(name) = without_hash(&import.name) else {
            continue;
        };
        let mut short = name.to_owned();
        let mut number = 2;
        while !taken.insert(short.clone()) {
            short = format!("{name}{number}");
            number += 1;
        }
        script = script.replace(&import.name, &short);
        import.name = short;
    }
    fs::write(glue, script).with_context(|| format!("cannot write {}", glue.display()))?;
    module
        .emit_wasm_file(wasm)
        .map_err(|error| anyhow!(error))
        .with_context(|| format!("cannot write {}", wasm.display()))
}

fn without_hash(name: &str) -> Option<&str> {
    let (front, hash) = name.rsplit_once('_')?;
    let is_hash = hash.len() == HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some(front)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_is_left_out() {
        assert_eq!(without_hash("__wbg_get_31af05bd4842a84f"), Some("__wbg_get"));
        for name in ["__wbindgen_cast_0000000000000001x", "__wbg_get", "", "_31af"] {
            assert_eq!(without_hash(name), None, "{name}");
        }
    }
}
