//! `npm run build`: a Worker crate becomes `build/` with Wasm, its JavaScript glue and the crate's own entry.
//!
//! The steps are those of worker-build (cargo, wasm-bindgen, wasm-opt), with two differences: wasm-bindgen runs as a
//! library at the version of `Cargo.lock`, so that nothing is installed or downloaded at build time, and the entry
//! is a small file in the repository (`entry.js`) in place of worker-build's class and two proxies per request.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use wasm_bindgen_cli_support::Bindgen;

use crate::{import_names, node_tools, workspace};

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

    /// Whether every import is wrapped in exception handling, so that an instance knows that it trapped. The dispatch
    /// Worker would pay for that on every request, and has no need of it: nothing in it runs outside of its entry's
    /// guard.
    fn needs_abort_handler(self) -> bool {
        match self {
            Self::Dispatcher => false,
            Self::DeployApi => true,
        }
    }

    fn entry(self) -> PathBuf {
        match self {
            Self::Dispatcher => workspace::path("src/entry.js"),
            Self::DeployApi => workspace::path("deploy-api/entry.js"),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    build(arguments.worker, arguments.quiet)
}

/// Builds one Worker into its `build/` folder; does nothing there when the Wasm and the entry are as they were.
///
/// # Errors
/// When cargo, wasm-bindgen or wasm-opt fails; their own output says why.
pub fn build(worker: Worker, quiet: bool) -> Result<()> {
    let say = |text: &str| {
        if !quiet {
            eprintln!("[build] {text}");
        }
    };
    let _turn = turn(worker)?;
    say(&format!("{}: compiling to Wasm", worker.package()));
    let wasm = compile(worker.package(), worker.profile(), quiet)?;
    let entry = worker.entry();
    let fingerprint = fingerprint(&[&wasm, &entry])?;
    let out = worker.folder().join("build");
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
    bind(&wasm, &staging, worker.needs_abort_handler())?;
    if worker == Worker::Dispatcher {
        import_names::shorten(&staging.join("index_bg.wasm"), &staging.join("index.js"))?;
    }
    say(&format!("{}: optimising", worker.package()));
    optimise(&staging.join("index_bg.wasm"), worker.effort())?;
    fs::copy(&entry, staging.join("entry.js"))?;
    fs::write(staging.join(".fingerprint"), fingerprint)?;
    publish(&staging, &out)?;
    say(&format!("{}: {}", worker.package(), size_report(&out)?));
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

/// Compiles a package of the workspace to Wasm with one of cargo's profiles.
///
/// # Errors
/// When it does not compile; cargo's own output says why.
pub fn compile(package: &str, profile: &str, quiet: bool) -> Result<PathBuf> {
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
pub fn bind(wasm: &Path, out: &Path, abort_handler: bool) -> Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name("index")
        .module(true)?
        .typescript(false)
        // What lets the entry start afresh after a trap.
        .reset_state_function(true)
        .force_enable_abort_handler(abort_handler)
        .remove_producers_section(true)
        .generate(out)
        .with_context(|| format!("wasm-bindgen cannot process {}", wasm.display()))?;
    // Source-phase imports are not yet understood by the esbuild inside wrangler; a plain import of a .wasm file is,
    // and gives the same compiled module.
    let glue = out.join("index.js");
    let text = fs::read_to_string(&glue)?.replace("import source ", "import ");
    fs::write(glue, text)?;
    Ok(())
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

fn fingerprint(files: &[&Path]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    include_str!("build.rs").hash(&mut hasher);
    include_str!("import_names.rs").hash(&mut hasher);
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
