use std::path::PathBuf;

use crate::configuration::Compatibility;

/// What every contender runs with.
pub struct Setting {
    /// The workerd binary.
    pub workerd: PathBuf,
    /// The folder that has a folder with the bundle of each contender.
    pub folder: PathBuf,
    pub compatibility: Compatibility,
}
