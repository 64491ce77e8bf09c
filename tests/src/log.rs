use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{Platform, until};

/// What wrangler and the Workers of a platform have printed since its start.
#[derive(Debug)]
pub struct Log<'a>(&'a Platform);

impl Platform {
    /// What wrangler and the Workers have printed since the start.
    #[must_use]
    pub fn log(&self) -> Log<'_> {
        Log(self)
    }
}

impl Log<'_> {
    /// All of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self) -> Result<String> {
        let path = self.0.state().join("wrangler.log");
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The lines that are JSON objects: what the Workers log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn objects(&self) -> Result<Vec<Value>> {
        let text = self.text()?;
        let objects = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        Ok(objects.filter(Value::is_object).collect())
    }

    /// The first such line that `wanted` holds for, waited for: output takes its time.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn object(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        until(what, async || {
            Ok(self.objects()?.into_iter().find(|line| wanted(line)))
        })
        .await
    }
}
