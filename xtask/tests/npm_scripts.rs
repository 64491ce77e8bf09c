//! The npm scripts of `package.json` and the commands of this package belong together.
//!
//! `xtask/run` also compiles this file; it explains why.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

#[derive(serde::Deserialize)]
struct Manifest {
    scripts: BTreeMap<String, String>,
}

#[test]
fn every_npm_script_names_a_command() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../package.json");
    let manifest: Manifest = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands: Vec<_> = help
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let mut count = 0;
    for (script, line) in manifest.scripts {
        let Some(command) = line.strip_prefix("sh xtask/run ") else {
            continue;
        };
        assert!(
            commands.contains(&command),
            "npm run {script} runs {command}: {help}"
        );
        count += 1;
    }
    assert!(count > 5, "{count} scripts run commands of this package");
}
