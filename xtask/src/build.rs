//! `npm run build`: builds a Worker into `build/`: Wasm, its JavaScript glue and the scripts of the Worker.
//!
//! The steps are those of worker-build (cargo, wasm-bindgen, wasm-opt), with two differences. wasm-bindgen runs as a library at
//! the version of `Cargo.lock`, so that nothing is downloaded from GitHub at build time. The entry is a small file in the
//! repository (`entry.js`) in place of worker-build's shim, a class and two proxies per request that cost up to 37 % CPU.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::workspace;

mod wasm;

pub use wasm::{Glue, RELEASE, TARGET, bind, compile, ensure_target, optimise};

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

    /// Its cargo profile (see the workspace's `Cargo.toml`).
    fn profile(self) -> &'static str {
        match self {
            Self::Dispatcher => "dispatcher",
            Self::DeployApi => "deploy-api",
        }
    }

    /// The folder of its `Cargo.toml` and `wrangler.jsonc`, and of `build/`.
    fn folder(self) -> PathBuf {
        match self {
            Self::Dispatcher => workspace::root().to_owned(),
            Self::DeployApi => workspace::path("deploy-api"),
        }
    }

    /// The folders whose files the build depends on.
    pub fn sources(self) -> Vec<PathBuf> {
        vec![self.folder().join("src"), workspace::path("names/src")]
    }

    /// The options of wasm-opt. Every request of an end user passes through the dispatch Worker. The deploy API is far larger,
    /// and a fast build is more important there.
    fn wasm_opt_options(self) -> &'static [&'static str] {
        match self {
            Self::Dispatcher => &[
                "-Oz",
                "--converge",
                // Larger functions with one caller are not inlined: most of them are for errors, and V8 compiles a function
                // when it is first called.
                "--one-caller-inline-max-function-size",
                "20",
                // rustc places the end of the stack at the lowest addresses, so no data is there.
                "--low-memory-unused",
                // Only linkers read these sections.
                "--strip-target-features",
                "--strip-debug",
            ],
            Self::DeployApi => &["-O1", "--strip-debug"],
        }
    }

    fn glue(self) -> Glue {
        match self {
            Self::Dispatcher => Glue::Lean,
            Self::DeployApi => Glue::TrapHandling,
        }
    }

    /// The entry, `entry.js`, and the JavaScript modules that it imports.
    fn scripts(self) -> Vec<PathBuf> {
        match self {
            Self::Dispatcher => vec![
                workspace::path("src/dispatch/entry.js"),
                workspace::path("src/dispatch/analytics.js"),
                workspace::path("src/dispatch/failure_log.js"),
                workspace::path("src/dispatch/in_flight.js"),
                workspace::path("src/dispatch/namespace_service.js"),
            ],
            Self::DeployApi => vec![workspace::path("deploy-api/entry.js")],
        }
    }
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
    let _lock = lock(worker)?;
    say(&format!("{}: compiling to Wasm", worker.package()));
    let wasm = compile(worker.package(), worker.profile(), features, quiet)?;
    let scripts = worker.scripts();
    let fingerprint = fingerprint(scripts.iter().chain([&wasm]))?;
    let stamp = out.join(".fingerprint");
    if fs::read_to_string(&stamp).is_ok_and(|known| known == fingerprint) {
        say(&format!("{}: unchanged", worker.package()));
        return Ok(());
    }

    // The files are written to another folder and moved at the end, so that wrangler never sees an incomplete Worker.
    let staging = workspace::target().join("xtask").join(worker.package());
    if staging.exists() {
        fs::remove_dir_all(&staging)?;
    }
    fs::create_dir_all(&staging)?;
    say(&format!("{}: generating JavaScript glue", worker.package()));
    bind(&wasm, &staging, worker.glue())?;
    say(&format!("{}: optimising", worker.package()));
    optimise(&staging.join("index_bg.wasm"), worker.wasm_opt_options())?;
    for script in &scripts {
        let name = script.file_name().context("a script without a name")?;
        fs::copy(script, staging.join(name))?;
    }
    fs::write(staging.join(".fingerprint"), fingerprint)?;
    publish(&staging, out)?;
    say(&format!("{}: {}", worker.package(), size_report(out)?));
    Ok(())
}

/// Waits for the lock of the Worker's build: a `dev` that rebuilds and a `deploy` would replace each other's files.
fn lock(worker: Worker) -> Result<File> {
    let folder = workspace::target().join("xtask");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.lock", worker.package()));
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    lock.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(lock)
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
    include_str!("build/wasm.rs").hash(&mut hasher);
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
