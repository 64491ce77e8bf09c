//! Turns `dotdo.jsonc` into the constants of this crate. A file that is not valid stops the build, with every problem.

mod account;

use std::{env, error::Error, fs, path::Path};

use account::AccountFile;

/// From this crate's folder, where cargo runs a build script.
const FILE: &str = "../dotdo.jsonc";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FILE}");
    println!("cargo::rerun-if-changed=build");
    let text = fs::read_to_string(FILE).map_err(|error| format!("cannot read dotdo.jsonc: {error}"))?;
    match AccountFile::parse(&text) {
        Ok(account) => {
            let folder = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
            fs::write(Path::new(&folder).join("account.rs"), account.to_rust())?;
        }
        // cargo prints these without the output of the build script around them, and fails the build.
        Err(problems) => {
            for problem in problems {
                println!("cargo::error=dotdo.jsonc: {problem}");
            }
        }
    }
    Ok(())
}
