use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Longer than anything here takes on a busy machine: the end of patience, not an expectation.
const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(50);

/// Tries until something comes of it.
///
/// # Errors
/// When the attempt itself fails, or nothing has come of it for two minutes.
pub async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if let Some(found) = attempt().await? {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("{what}: nothing for {} s", PATIENCE.as_secs())
}
