//! The steps from a crate to optimised Wasm: cargo, wasm-bindgen, wasm-opt.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::{Bindgen, Output};

use crate::{node_tools, workspace};

/// The target of Workers.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The features that rustc uses by default for this target, and that workerd supports. wasm-opt rejects all others.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Cargo's standard profile for releases.
pub const RELEASE: &str = "release";

/// The JavaScript that wasm-bindgen generates around a Wasm file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glue {
    /// As worker-build has it generated: every import is wrapped in exception handling, so that an instance detects
    /// a trap.
    Stock,
    /// Like `Stock`, but without the start function of the crate `worker`, which sets a trap handler and a panic hook. The entry
    /// of the Worker calls a function that sets others.
    TrapHandling,
    /// Without that wrapping, without the start function of the crate `worker` (it asks for the wrapping, and sets another
    /// panic hook), and without the classes that `worker` exports, such as `R2Range`. The entry
    /// of the Worker guards each call itself.
    Lean,
}

/// Adds the Wasm target to the toolchain, once.
///
/// # Errors
/// When it is missing and cannot be added.
pub fn ensure_target() -> Result<()> {
    let library = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot run rustc: install Rust with rustup first")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&library.stdout).trim().to_owned());
    if folder.is_dir() {
        return Ok(());
    }
    eprintln!("[build] adding the Rust target {TARGET} (once)");
    let status = Command::new("rustup").args(["target", "add", TARGET]).status();
    if !status.is_ok_and(|status| status.success()) {
        bail!("the Rust target {TARGET} is missing: run `rustup target add {TARGET}`");
    }
    Ok(())
}

/// Compiles a package of the workspace to Wasm with one of cargo's profiles and some of its features.
///
/// # Errors
/// When it does not compile; cargo's own output says why.
pub fn compile(package: &str, profile: &str, features: &[&str], quiet: bool) -> Result<PathBuf> {
    ensure_target()?;
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(workspace::root())
        .args([
            "build",
            "--locked",
            "--profile",
            profile,
            "--lib",
            "--target",
            TARGET,
            "--package",
            package,
            "--features",
            &features.join(","),
        ])
        // Panic messages contain source paths: a public file must not have those of a home folder.
        .env("CARGO_ENCODED_RUSTFLAGS", remapped_paths());
    if quiet {
        cargo.arg("--quiet");
    }
    if !cargo.status().context("cannot run cargo")?.success() {
        bail!("{package} does not compile");
    }
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(workspace::target().join(TARGET).join(profile).join(file))
}

fn remapped_paths() -> String {
    let home = std::env::var("CARGO_HOME")
        .unwrap_or_else(|_| format!("{}/.cargo", std::env::var("HOME").unwrap_or_default()));
    [
        format!("--remap-path-prefix={home}=cargo"),
        format!("--remap-path-prefix={}=.", workspace::root().display()),
    ]
    .join("\u{1f}")
}

/// Generates the JavaScript glue of a compiled package: `index.js` and `index_bg.wasm` in `out`.
///
/// # Errors
/// When wasm-bindgen cannot process it.
pub fn bind(wasm: &Path, out: &Path, glue: Glue) -> Result<()> {
    let mut output = Bindgen::new()
        .input_path(wasm)
        .out_name("index")
        .module(true)?
        .typescript(false)
        // With it the entry replaces the instance after a trap.
        .reset_state_function(true)
        .force_enable_abort_handler(glue != Glue::Lean)
        .emit_start(glue == Glue::Stock)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("wasm-bindgen cannot process {}", wasm.display()))?;
    if glue == Glue::Lean {
        remove_class_exports(&mut output);
    }
    output.emit(out)?;
    // The esbuild of wrangler does not support source-phase imports. A plain import of a .wasm file is the same module.
    let glue = out.join("index.js");
    let text = fs::read_to_string(&glue)?.replace("import source ", "import ");
    fs::write(glue, text)?;
    Ok(())
}

/// Removes the exports of classes. The entry creates no instance of a class, and wasm-opt then removes what only these
/// exports use.
fn remove_class_exports(output: &mut Output) {
    let class = |line: &str| {
        let line = line.trim_start();
        let name = line
            .strip_prefix("export ")
            .unwrap_or(line)
            .strip_prefix("class ")?;
        Some(name.split_ascii_whitespace().next()?.to_ascii_lowercase())
    };
    let classes: Vec<String> = output.js().lines().filter_map(class).collect();
    let exports = &mut output.wasm_mut().exports;
    // wasm-bindgen names them `r2range_method`, `__wbg_get_r2range_field`, `__wbg_set_r2range_field` and `__wbg_r2range_free`.
    let is_of_class = |name: &str| {
        let rest = ["__wbg_get_", "__wbg_set_", "__wbg_"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        let rest = rest.unwrap_or(name);
        rest.split_once('_')
            .is_some_and(|(class, _)| classes.iter().any(|name| name == class))
    };
    let mut unused = Vec::new();
    for export in exports.iter() {
        if is_of_class(&export.name) {
            unused.push(export.id());
        }
    }
    for export in unused {
        exports.delete(export);
    }
}

/// Optimises a Wasm file in place.
///
/// # Errors
/// When `npm ci` has not been run, or wasm-opt fails.
pub fn optimise(wasm: &Path, options: &[&str]) -> Result<()> {
    let mut wasm_opt = node_tools::command("wasm-opt")?;
    wasm_opt
        .arg(wasm)
        .arg("--output")
        .arg(wasm)
        .args(WASM_FEATURES)
        .args(options);
    if !wasm_opt.status().context("cannot run wasm-opt")?.success() {
        bail!("wasm-opt cannot optimise {}", wasm.display());
    }
    Ok(())
}
