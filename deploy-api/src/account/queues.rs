use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reading::{Unreadable, has_next_page, items, read, text};
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{Method, script};

/// The number of queues of a page.
const QUEUES: u32 = 100;

/// An account Worker that consumes a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AccountQueueConsumer")]
pub struct QueueConsumer {
    /// The name of the queue.
    pub queue: String,
    /// The Worker.
    pub worker: String,
}

/// A page of the queue consumers of the account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccountQueues {
    /// The consumers that are Workers.
    pub items: Vec<QueueConsumer>,
    /// What is not known.
    pub unknown: Vec<Unreadable>,
    /// The cursor of the next page; null on the last page.
    pub cursor: Option<String>,
}

/// The consumers of a page of queues: one call. The cursor of the next page is its number, not sealed.
///
/// # Errors
/// `UPSTREAM_…`.
pub async fn queues(services: &impl Services, page: u32) -> Result<AccountQueues, Problem> {
    let mut unknown = Vec::new();
    let request = script::account(Method::Get, &["queues"])
        .parameter("per_page", QUEUES.to_string())
        .parameter("page", page.to_string());
    let reply = read(services, request, "Queues: Read", "queue consumers", &mut unknown).await?;
    let has_more = reply.as_ref().is_some_and(|reply| has_next_page(reply, page));
    let found = reply
        .as_ref()
        .map(|reply| items(&reply.result))
        .unwrap_or_default();
    Ok(AccountQueues {
        items: found.iter().flat_map(consumers).collect(),
        unknown,
        cursor: has_more.then(|| (page + 1).to_string()),
    })
}

/// wrangler reads the name of a consumer's Worker as `script`, and the SDK as `script_name`.
fn consumers(queue: &Value) -> Vec<QueueConsumer> {
    let Some(name) = text(queue, "queue_name") else {
        return Vec::new();
    };
    let list = queue.get("consumers").map(items).unwrap_or_default();
    let workers = list.iter().filter_map(|consumer| {
        text(consumer, "script")
            .or_else(|| text(consumer, "script_name"))
            .or_else(|| text(consumer, "service"))
    });
    workers
        .map(|worker| QueueConsumer {
            queue: name.clone(),
            worker,
        })
        .collect()
}
