//! The key of this database's fingerprints of uploads.

use data_encoding::HEXLOWER;

use crate::sql::{Sql, SqlError, Value};
use crate::upload::FingerprintKey;

pub(super) const TABLE: &str =
    "CREATE TABLE fingerprint_key (only INTEGER PRIMARY KEY CHECK (only = 1), key TEXT NOT NULL)";

/// The key, which is made from `entropy` when there is none yet.
///
/// # Errors
/// When the database fails.
pub fn get_or_make(sql: &impl Sql, entropy: [[u8; 16]; 2]) -> Result<FingerprintKey, SqlError> {
    sql.exec(
        "INSERT INTO fingerprint_key (only, key) VALUES (1, ?) ON CONFLICT DO NOTHING",
        &[Value::from(HEXLOWER.encode(entropy.as_flattened()))],
    )?;
    let rows = sql.exec("SELECT key FROM fingerprint_key", &[])?;
    let broken = || SqlError::Content {
        what: "fingerprint key",
        reason: "it is not 32 bytes".to_owned(),
    };
    let text = rows.first().ok_or_else(broken)?.text(0)?;
    HEXLOWER
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map(FingerprintKey)
        .ok_or_else(broken)
}
