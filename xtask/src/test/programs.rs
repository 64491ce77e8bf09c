//! The compiled test programs.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{cargo, workspace};

/// The folder of the end-to-end tests' package.
const END_TO_END_FOLDER: &str = "tests";

/// The end-to-end test programs, in the order in which they run: short ones first.
const END_TO_END: [&str; 7] = [
    "configuration",
    "cli",
    "dispatch",
    "local",
    "deploy-api",
    "load",
    "deploy",
];

/// The test program of the larger projects in `tests/apps`, which `npm run test:apps` installs and runs.
const APPS: &str = "apps";

/// The test programs to compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    All,
    EndToEnd,
    Apps,
}

/// A compiled test program.
///
/// It is run without cargo: `cargo test` with another selection of packages gives shared dependencies other features and
/// compiles everything again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestProgram {
    /// The name of its cargo target.
    pub name: String,
    /// Whether it belongs to the end-to-end tests.
    pub is_end_to_end: bool,
    executable: PathBuf,
    folder: PathBuf,
}

/// A line of `cargo test --message-format=json`; the members that are not read are omitted.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    profile: Option<Profile>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Compiles test programs, and returns them in the order in which they are to run.
///
/// # Errors
/// When one does not compile; cargo's own output says why.
pub fn compile(selection: Selection) -> Result<Vec<TestProgram>> {
    let mut command = cargo::command(&["test", "--workspace", "--locked", "--no-run"]);
    let names: &[&str] = match selection {
        Selection::All => &[],
        Selection::EndToEnd => &END_TO_END,
        Selection::Apps => &[APPS],
    };
    command.args(names.iter().flat_map(|name| ["--test", name]));
    let output = command
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the tests do not compile");
    }
    let messages = String::from_utf8(output.stdout).context("cargo's output is not UTF-8")?;
    let mut programs = parse(&messages)?;
    // It is compiled with the others, but its projects may not be installed.
    programs.retain(|program| program.name != APPS || selection == Selection::Apps);
    programs.sort_by_key(|program| {
        let order = END_TO_END.iter().position(|name| *name == program.name);
        (program.is_end_to_end, order)
    });
    Ok(programs)
}

fn parse(messages: &str) -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).context("cannot read cargo's output")?;
        if let (Some(executable), Some(manifest), Some(Profile { test: true }), Some(target)) = (
            message.executable,
            message.manifest_path,
            message.profile,
            message.target,
        ) {
            let folder = manifest.parent().unwrap_or_else(|| Path::new("/"));
            programs.push(TestProgram {
                name: target.name,
                is_end_to_end: folder == workspace::path(END_TO_END_FOLDER),
                executable,
                folder: folder.to_owned(),
            });
        }
    }
    Ok(programs)
}

impl TestProgram {
    /// The command that runs it as `cargo test` does: in its package's folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder);
        command
    }

    /// The number of its tests whose names contain a text.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn count(&self, filter: &str) -> Result<usize> {
        let output = self
            .command()
            .args([filter, "--list", "--format", "terse"])
            .output()
            .with_context(|| format!("cannot run the test program {}", self.name))?;
        let list = String::from_utf8_lossy(&output.stdout);
        Ok(list.lines().filter(|line| line.ends_with(": test")).count())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn every_end_to_end_test_program_is_run() {
        let manifest = workspace::path(END_TO_END_FOLDER).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap();
        let declared: BTreeSet<_> = manifest
            .split("[[test]]")
            .skip(1)
            .filter_map(|section| section.split('"').nth(1))
            .collect();
        let known = END_TO_END.into_iter().chain([APPS]);
        assert_eq!(declared, known.collect());
    }

    #[test]
    fn test_programs_are_found_in_cargos_messages() {
        let messages = r#"
            {"reason":"compiler-artifact","manifest_path":"/r/x/Cargo.toml","target":{"name":"x"},"profile":{"test":false},"executable":null}
            {"reason":"compiler-artifact","manifest_path":"/r/x/Cargo.toml","target":{"name":"x"},"profile":{"test":false},"executable":"/t/x"}
            {"reason":"compiler-artifact","manifest_path":"/r/x/Cargo.toml","target":{"name":"x"},"profile":{"test":true},"executable":"/t/x-1"}
            {"reason":"compiler-artifact","manifest_path":"/r/tests/Cargo.toml","target":{"name":"load"},"profile":{"test":true},"executable":"/t/load-1"}
            {"reason":"build-finished","success":true}"#
            .replace("/r/", &format!("{}/", workspace::root().display()));
        let program = |name: &str, is_end_to_end, folder: &str| TestProgram {
            name: name.to_owned(),
            is_end_to_end,
            executable: format!("/t/{name}-1").into(),
            folder: workspace::path(folder),
        };
        assert_eq!(
            parse(messages.trim_start()).unwrap(),
            [program("x", false, "x"), program("load", true, "tests")]
        );
    }
}
