//! A contender's folder: the modules that would be uploaded, and the benchmark's own modules next to them.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::{configuration, contender::Contender};

/// The bundled modules of a contender. The first is the main module.
pub struct Bundle {
    pub folder: PathBuf,
    pub modules: Vec<String>,
}

const MODULES: [&str; 2] = ["index.js", "index_bg.wasm"];

impl Bundle {
    /// Opens the contender's folder under `folder`, and writes the files that the configurations embed into it.
    ///
    /// # Errors
    /// When the folder has no `index.js`, or cannot be written.
    pub fn open(folder: &Path, contender: Contender) -> Result<Self> {
        let own = folder.join(contender.name());
        match contender {
            Contender::Empty => write(&own, "index.js", configuration::EMPTY)?,
            Contender::UserWorker => write(&own, "index.js", configuration::USER_WORKER)?,
            Contender::Control => copy_modules(&folder.join(Contender::Dispatcher.name()), &own)?,
            _ => {}
        }
        if !own.join("index.js").exists() {
            bail!(
                "{} has no index.js: start the benchmark with `npm run bench`",
                own.display()
            );
        }
        for (name, text) in configuration::EMBEDDED {
            write(&own, name, text)?;
        }
        let modules = MODULES.iter().filter(|name| own.join(name).exists());
        Ok(Self {
            modules: modules.map(|&name| name.to_owned()).collect(),
            folder: own,
        })
    }

    pub fn modules(&self) -> Vec<&str> {
        self.modules.iter().map(String::as_str).collect()
    }

    /// The sum of the modules' sizes, each compressed with gzip, in bytes.
    pub fn gzip_size(&self) -> Result<usize> {
        let mut size = 0;
        for name in &self.modules {
            let bytes = fs::read(self.folder.join(name)).with_context(|| format!("cannot read {name}"))?;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&bytes)?;
            size += encoder.finish()?.len();
        }
        Ok(size)
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    fs::create_dir_all(folder)?;
    let file = folder.join(name);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn copy_modules(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for name in MODULES {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).with_context(|| format!("cannot copy {name}"))?;
        }
    }
    Ok(())
}
