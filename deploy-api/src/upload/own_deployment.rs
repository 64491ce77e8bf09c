//! The variable by which an instance of the deploy API knows which deployment it is. It is added when the script is sent, and removed
//! from what the upstream returns, so that neither stored bundles nor comparisons contain it.

use serde_json::{Map, Value, json};

use super::Metadata;
use super::bindings::BindingRef;

/// The name of the variable. It is not in `deploy-api/wrangler.jsonc`: a deploy without this API does not set it.
pub const OWN_DEPLOYMENT: &str = "DEPLOYMENT";

/// The metadata to be sent for a deployment of the deploy API, with its id.
#[must_use]
pub(crate) fn with_own_deployment(metadata: Metadata, id: &str) -> Metadata {
    let others = metadata
        .binding_values()
        .iter()
        .filter(|binding| !is_own(binding));
    let own = json!({ "type": "plain_text", "name": OWN_DEPLOYMENT, "text": id });
    let bindings = others.cloned().chain([own]).collect();
    metadata.with_bindings(bindings)
}

/// Removes the variable from the settings that the upstream returns.
pub(crate) fn remove_own_deployment(settings: &mut Map<String, Value>) {
    if let Some(Value::Array(bindings)) = settings.get_mut("bindings") {
        bindings.retain(|binding| !is_own(binding));
    }
}

fn is_own(binding: &Value) -> bool {
    BindingRef::of(binding).is_some_and(|binding| binding.name == OWN_DEPLOYMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_sent_and_not_shown() {
        let id = "0190f5c0-0000-7000-8000-000000000000";
        let text = r#"{"bindings": [{"type": "plain_text", "name": "A", "text": "a"}]}"#;
        let metadata = Metadata::parse(text.as_bytes()).unwrap();
        let sent = with_own_deployment(with_own_deployment(metadata.clone(), id), id);
        assert_eq!(sent.binding_values().len(), 2);
        assert_eq!(sent.binding_values()[1]["text"], id);
        let mut settings = sent.members().clone();
        remove_own_deployment(&mut settings);
        assert_eq!(&settings, metadata.members());
    }
}
