use worker::{KvError, KvStore};

use super::KV_CACHE_SECONDS;

/// Reads the entry of a host from the KV namespace: the value of `hostname:<host>`, otherwise of the bare host. Both keys are
/// read in one operation.
///
/// # Errors
/// The KV namespace failed.
pub async fn look_up(namespace: &KvStore, host: &str) -> Result<Option<String>, KvError> {
    let key = format!("hostname:{host}");
    let mut values = namespace
        .get_bulk(&[key.as_str(), host])
        .cache_ttl(KV_CACHE_SECONDS)
        .text()
        .await?;
    let entry = values.remove(&key).flatten();
    Ok(entry.or_else(|| values.remove(host).flatten()))
}
