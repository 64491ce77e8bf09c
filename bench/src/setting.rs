use std::path::PathBuf;

use crate::configuration::Compatibility;

/// What every contender runs with.
pub struct Setting {
    /// The workerd binary.
    pub workerd: PathBuf,
    /// The folder that holds the contenders' bundles, a folder each.
    pub folder: PathBuf,
    pub compatibility: Compatibility,
}
