use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{Platform, until};

/// The output of wrangler and of a platform's Workers since its start.
#[derive(Debug)]
pub struct Log<'a>(&'a Platform);

impl Platform {
    /// The output of wrangler and of the Workers since the start.
    #[must_use]
    pub fn log(&self) -> Log<'_> {
        Log(self)
    }
}

impl Log<'_> {
    /// The whole output.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self) -> Result<String> {
        let path = self.0.state().join("wrangler.log");
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The JSON objects that the Workers logged, one for each line. Before an error, wrangler prints a word and colours.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn objects(&self) -> Result<Vec<Value>> {
        Ok(self.text()?.lines().filter_map(object).collect())
    }

    /// Waits for an object that meets a condition, and returns the first.
    ///
    /// # Errors
    /// When none is logged for two minutes.
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
