//! The logs Worker as a tail consumer of every Worker. It is added when a script is sent, and removed from what the upstream returns, so
//! that neither stored bundles nor comparisons contain it.

use dotdo_names::LOGS_WORKER;
use serde_json::{Map, Value, json};

use super::Metadata;

/// The member of the metadata and of the settings.
const MEMBER: &str = "tail_consumers";

/// The most tail consumers of a script. An author who uses all of them has no log here.
const MAX_CONSUMERS: usize = 10;

/// The metadata to be sent for a script whose log is stored: the author's tail consumers, and the logs Worker.
#[must_use]
pub(crate) fn with_log_consumer(metadata: Metadata) -> Metadata {
    let mut consumers = match metadata.0.get(MEMBER) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(consumers)) => consumers.clone(),
        // The upstream rejects it.
        Some(_) => return metadata,
    };
    if consumers.len() >= MAX_CONSUMERS || consumers.iter().any(is_log_consumer) {
        return metadata;
    }
    consumers.push(json!({ "service": LOGS_WORKER }));
    let mut metadata = metadata;
    metadata.0.insert(MEMBER.to_owned(), Value::Array(consumers));
    metadata
}

/// Removes the logs Worker from the settings that the upstream returns.
pub(crate) fn remove_log_consumer(settings: &mut Map<String, Value>) {
    if let Some(Value::Array(consumers)) = settings.get_mut(MEMBER) {
        consumers.retain(|consumer| !is_log_consumer(consumer));
    }
}

fn is_log_consumer(consumer: &Value) -> bool {
    consumer.get("service").and_then(Value::as_str) == Some(LOGS_WORKER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(tail_consumers: &Value) -> Value {
        let metadata = json!({ "main_module": "a.js", "tail_consumers": tail_consumers });
        let metadata = Metadata::parse(metadata.to_string().as_bytes()).unwrap();
        with_log_consumer(metadata).members()[MEMBER].clone()
    }

    #[test]
    fn the_logs_worker_follows_the_tail_consumers_of_the_author() {
        let logs = json!({ "service": LOGS_WORKER });
        assert_eq!(sent(&Value::Null), json!([logs]));
        assert_eq!(sent(&json!([])), json!([logs]));
        let own = json!({ "service": "own", "environment": "production" });
        assert_eq!(sent(&json!([own])), json!([own, logs]));
        assert_eq!(
            sent(&json!([logs, own])),
            json!([logs, own]),
            "it is there already"
        );
        assert_eq!(sent(&json!("own")), "own");
        let all: Vec<Value> = (0..MAX_CONSUMERS)
            .map(|number| json!({ "service": number.to_string() }))
            .collect();
        assert_eq!(sent(&json!(all)), json!(all), "there is no room for it");
    }

    #[test]
    fn the_settings_of_a_script_do_not_show_the_logs_worker() {
        let mut settings = Map::new();
        settings.insert(MEMBER.to_owned(), sent(&json!([{ "service": "own" }])));
        remove_log_consumer(&mut settings);
        assert_eq!(settings[MEMBER], json!([{ "service": "own" }]));
        let mut none = Map::new();
        remove_log_consumer(&mut none);
        assert!(none.is_empty());
    }
}
