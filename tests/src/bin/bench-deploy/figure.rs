use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

/// One measured value.
#[derive(Serialize)]
pub struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    /// The target, for example `at most 1.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
}

impl Figure {
    pub fn new(
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        target: Option<&'static str>,
    ) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
            target,
        }
    }
}

pub fn print(figures: &[Figure], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
        return Ok(());
    }
    println!("| figure | value | target |\n|---|--:|---|");
    for figure in figures {
        let target = figure.target.unwrap_or_default();
        println!(
            "| {} | {:.2} {} | {target} |",
            figure.what, figure.value, figure.unit
        );
    }
    Ok(())
}

/// A percentile, in milliseconds.
pub fn percentile(mut times: Vec<Duration>, hundredths: usize) -> f64 {
    times.sort_unstable();
    let index = (times.len() * hundredths / 100).min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
