//! `npm run build`: a Worker crate becomes `build/` with Wasm, its JavaScript glue and the crate's own entry.
//!
//! The steps are those of worker-build (cargo, wasm-bindgen, wasm-opt), with two differences. wasm-bindgen runs as a library at
//! the version of `Cargo.lock`, so that nothing is downloaded from GitHub at build time. The entry is a small file in the
//! repository (`entry.js`) in place of worker-build's shim, a class and two proxies per request that cost up to 37 % CPU.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use wasm_bindgen_cli_support::{Bindgen, Output};

use crate::{node_tools, workspace};

/// What Workers are compiled to.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// What rustc's wasm32-unknown-unknown emits by default and workerd runs; wasm-opt refuses what is not named.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Cargo's own profile for what is shipped.
pub const RELEASE: &str = "release";

#[derive(Args)]
pub struct Arguments {
    /// Which Worker
    #[arg(value_enum, default_value_t = Worker::Dispatcher)]
    worker: Worker,
    /// Print only errors
    #[arg(long)]
    quiet: bool,
    /// Build the dispatch Worker with the feature test-traps into this folder, for the end-to-end tests
    #[arg(long, value_name = "FOLDER", hide = true)]
    test_traps: Option<PathBuf>,
}

/// The Workers of this repository that are Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Worker {
    Dispatcher,
    DeployApi,
}

impl Worker {
    /// The package's name, and the argument that names it here.
    pub fn package(self) -> &'static str {
        match self {
            Self::Dispatcher => "dispatcher",
            Self::DeployApi => "deploy-api",
        }
    }

    /// Cargo's profile for it (see the workspace's `Cargo.toml`).
    fn profile(self) -> &'static str {
        match self {
            Self::Dispatcher => "dispatcher",
            Self::DeployApi => "deploy-api",
        }
    }

    /// The folder of its `Cargo.toml` and `wrangler.jsonc`, which `build/` stands in.
    fn folder(self) -> PathBuf {
        match self {
            Self::Dispatcher => workspace::root().to_owned(),
            Self::DeployApi => workspace::path("deploy-api"),
        }
    }

    /// Its wrangler configuration, from the repository's root.
    pub fn configuration(self) -> String {
        match self {
            Self::Dispatcher => "wrangler.jsonc".to_owned(),
            Self::DeployApi => "deploy-api/wrangler.jsonc".to_owned(),
        }
    }

    /// The folders that a change in calls for a new build.
    pub fn sources(self) -> Vec<PathBuf> {
        vec![self.folder().join("src"), workspace::path("names/src")]
    }

    /// What wasm-opt does with it. Every request of an end user passes through the dispatcher; the deploy API is twenty
    /// times its size, and a fast build counts for more there.
    fn effort(self) -> &'static [&'static str] {
        match self {
            Self::Dispatcher => &[
                "-Oz",
                "--converge",
                // What has one caller, and is more than a few instructions, stays a function of its own: most of it is
                // for errors, and V8 compiles a function when it is first called.
                "--one-caller-inline-max-function-size",
                "20",
                // True of every module that rustc links: the stack's far end lies there.
                "--low-memory-unused",
                // For linkers; an engine has no use of it.
                "--strip-target-features",
                "--strip-debug",
            ],
            Self::DeployApi => &["-O1", "--strip-debug"],
        }
    }

    fn glue(self) -> Glue {
        match self {
            Self::Dispatcher => Glue::Lean,
            Self::DeployApi => Glue::Stock,
        }
    }

    /// The entry, `entry.js`, and the JavaScript modules that it imports.
    fn scripts(self) -> Vec<PathBuf> {
        match self {
            Self::Dispatcher => vec![
                workspace::path("src/dispatch/entry.js"),
                workspace::path("src/dispatch/analytics.js"),
                workspace::path("src/dispatch/in_flight.js"),
            ],
            Self::DeployApi => vec![workspace::path("deploy-api/entry.js")],
        }
    }
}

/// The JavaScript that wasm-bindgen generates around a Wasm file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glue {
    /// As worker-build has it generated: every import is wrapped in exception handling, so that an instance knows that it
    /// trapped.
    Stock,
    /// Without that wrapping, without the start function of the crate `worker` (it asks for the wrapping, and sets another
    /// panic hook), and without the classes that `worker` exports, such as `R2Range`. The entry
    /// of the Worker guards each call itself.
    Lean,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.test_traps {
        None => build(arguments.worker, arguments.quiet),
        Some(folder) => build_into(folder, Worker::Dispatcher, &["test-traps"], arguments.quiet),
    }
}

/// Builds one Worker into its `build/` folder. Does nothing there if the Wasm and the scripts are unchanged.
///
/// # Errors
/// When cargo, wasm-bindgen or wasm-opt fails; their own output says why.
pub fn build(worker: Worker, quiet: bool) -> Result<()> {
    build_into(&worker.folder().join("build"), worker, &[], quiet)
}

fn build_into(out: &Path, worker: Worker, features: &[&str], quiet: bool) -> Result<()> {
    let say = |text: &str| {
        if !quiet {
            eprintln!("[build] {text}");
        }
    };
    let _turn = turn(worker)?;
    say(&format!("{}: compiling to Wasm", worker.package()));
    let wasm = compile(worker.package(), worker.profile(), features, quiet)?;
    let scripts = worker.scripts();
    let fingerprint = fingerprint(scripts.iter().chain([&wasm]))?;
    let stamp = out.join(".fingerprint");
    if fs::read_to_string(&stamp).is_ok_and(|known| known == fingerprint) {
        say(&format!("{}: unchanged", worker.package()));
        return Ok(());
    }

    // Everything is made beside `build/` and moved in at the end: wrangler never sees half a Worker.
    let staging = workspace::target().join("xtask").join(worker.package());
    if staging.exists() {
        fs::remove_dir_all(&staging)?;
    }
    fs::create_dir_all(&staging)?;
    say(&format!("{}: generating JavaScript glue", worker.package()));
    bind(&wasm, &staging, worker.glue())?;
    say(&format!("{}: optimising", worker.package()));
    optimise(&staging.join("index_bg.wasm"), worker.effort())?;
    for script in &scripts {
        let name = script.file_name().context("a script without a name")?;
        fs::copy(script, staging.join(name))?;
    }
    fs::write(staging.join(".fingerprint"), fingerprint)?;
    publish(&staging, out)?;
    say(&format!("{}: {}", worker.package(), size_report(out)?));
    Ok(())
}

/// Waits until nobody else builds the Worker: a `dev` that rebuilds and a `deploy` would replace each other's files.
fn turn(worker: Worker) -> Result<File> {
    let folder = workspace::target().join("xtask");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.lock", worker.package()));
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    lock.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(lock)
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
        // Panic messages carry source paths; those of the builder's home folder have no place in a public artefact.
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
        .force_enable_abort_handler(glue == Glue::Stock)
        .emit_start(glue == Glue::Stock)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("wasm-bindgen cannot process {}", wasm.display()))?;
    if glue == Glue::Lean {
        remove_class_exports(&mut output);
    }
    output.emit(out)?;
    // Source-phase imports are not yet understood by the esbuild inside wrangler; a plain import of a .wasm file is,
    // and gives the same compiled module.
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

fn publish(staging: &Path, out: &Path) -> Result<()> {
    let old = out.with_extension("old");
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    if out.exists() {
        fs::rename(out, &old)?;
    }
    fs::rename(staging, out).with_context(|| format!("cannot write {}", out.display()))?;
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    Ok(())
}

fn fingerprint<'p>(files: impl IntoIterator<Item = &'p PathBuf>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    include_str!("build.rs").hash(&mut hasher);
    for file in files {
        fs::read(file)
            .with_context(|| format!("cannot read {}", file.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn size_report(out: &Path) -> Result<String> {
    let mut parts = Vec::new();
    for file in ["index_bg.wasm", "index.js", "entry.js"] {
        let size = fs::metadata(out.join(file))?.len();
        parts.push(format!("{file} {}.{} KB", size / 1000, size % 1000 / 100));
    }
    Ok(parts.join(", "))
}
