use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Longer than any condition takes on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(50);

/// Repeats an attempt until it returns a value.
///
/// # Errors
/// When an attempt fails, or none has returned a value for two minutes.
pub async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let begin = Instant::now();
    while begin.elapsed() < LIMIT {
        if let Some(found) = attempt().await? {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("{what}: no result within {} s", LIMIT.as_secs())
}
