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

    /// The JSON objects that the Workers logged, one a line; wrangler puts a word and colours in front of an error.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn objects(&self) -> Result<Vec<Value>> {
        Ok(self.text()?.lines().filter_map(object).collect())
    }

    /// The first such object that `wanted` holds for, waited for: output takes its time.
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

fn object(line: &str) -> Option<Value> {
    let json = line.get(line.find('{')?..)?;
    let first = serde_json::Deserializer::from_str(json).into_iter().next()?;
    first.ok().filter(Value::is_object)
}
