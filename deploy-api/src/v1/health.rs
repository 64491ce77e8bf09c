//! `GET /v1/health`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{CheckHealth, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;
use crate::sql::MAX_DATABASE;

/// The state of the API.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
pub struct Health {
    /// `ok`
    #[schemars(extend("const" = "ok"))]
    pub status: Cow<'static, str>,
    /// The version of the API.
    pub version: Cow<'static, str>,
    /// The sizes of the Wasm memories. Only in the response to an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasm_memory_bytes: Option<WasmMemory>,
    /// The size of the ledger's database. Only in the response to an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
}

/// The size of the ledger's database, in bytes.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
pub struct Database {
    /// The size.
    pub bytes: u64,
    /// The maximum size. A full database records no change, so every change fails with `RECORD_UNAVAILABLE`.
    pub limit: u64,
}

/// The sizes of the Wasm memories, in bytes. A Wasm memory never shrinks, so these are also the peaks.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
pub struct WasmMemory {
    /// Of the gateway instance that answers.
    pub gateway: u64,
    /// Of the ledger.
    pub ledger: u64,
}

/// The API is healthy if the ledger's database can be read and written. Only an administrator gets the sizes of the Wasm memories
/// and of the database.
///
/// # Errors
/// `RECORD_UNAVAILABLE`; with a credential also `AUTHENTICATION_FAILED` and `LOCKED_OUT`.
pub(super) async fn check<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: Option<&ShownCredential>,
) -> Result<Answer, Problem> {
    let ledger = gateway
        .send(&CheckHealth {
            attempt: gateway.attempt.clone(),
            credential: credential.cloned(),
            client: gateway.client.clone(),
        })
        .await?;
    let of_gateway = gateway.services.wasm_memory_bytes();
    let wasm_memory_bytes = match (of_gateway, ledger.wasm_memory_bytes) {
        (Some(gateway), Some(ledger)) => Some(WasmMemory { gateway, ledger }),
        _ => None,
    };
    Answer::json(
        200,
        &Health {
            status: Cow::Borrowed("ok"),
            version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            wasm_memory_bytes,
            database: ledger.database_bytes.map(|bytes| Database {
                bytes,
                limit: MAX_DATABASE,
            }),
        },
    )
}
