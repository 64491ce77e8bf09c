//! A contender's folder: the modules that would be uploaded.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::{configuration, contender::Contender};

/// The bundled modules of a contender. The first is the main one.
pub struct Bundle {
    pub folder: PathBuf,
    pub modules: Vec<String>,
}

impl Bundle {
    /// Finds the modules in the contender's folder under `folder`, and puts beside them what the configurations embed.
    pub fn open(folder: &Path, contender: Contender) -> Result<Self> {
        let folder = folder.join(contender.name());
        if !contender.dispatches() {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("index.js"), configuration::USER_WORKER)?;
        }
        let mut modules = Vec::new();
        for name in ["index.js", "index_bg.wasm"] {
            if folder.join(name).exists() {
                modules.push(name.to_owned());
            }
        }
        if modules.first().is_none_or(|main| main != "index.js") {
            bail!(
                "{} has no index.js: start the benchmark with `npm run bench`",
                folder.display()
            );
        }
        let embedded = [
            ("namespace.js", configuration::NAMESPACE),
            ("user-worker.js", configuration::USER_WORKER),
            ("starter.js", configuration::STARTER),
            ("capture.js", configuration::CAPTURE),
            ("soak.js", configuration::SOAK),
        ];
        for (name, text) in embedded {
            fs::write(folder.join(name), text)?;
        }
        Ok(Self { folder, modules })
    }

    pub fn modules(&self) -> Vec<&str> {
        self.modules.iter().map(String::as_str).collect()
    }

    /// The modules' size as they are uploaded, each compressed by gzip, in bytes.
    pub fn size_on_the_wire(&self) -> Result<usize> {
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
