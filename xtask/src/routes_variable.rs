//! `ROUTES`, where a `wrangler.jsonc` has it.

use anyhow::{Result, bail};
use serde_json::Value;

/// The text of the variable `ROUTES`, if it is set. It may be written as JSON or as a string that holds JSON: the Worker
/// takes both.
///
/// # Errors
/// When it is anything else.
pub fn of(configuration: &Value) -> Result<Option<String>> {
    match configuration.pointer("/vars/ROUTES") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(rules @ Value::Array(_)) => Ok(Some(rules.to_string())),
        Some(other) => bail!("the variable ROUTES is {other}: write a JSON array of rules"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_and_its_text_are_the_same() {
        let rules = r#"[{"pattern":"a.example","worker":"a"}]"#;
        let written: Value = serde_json::from_str(rules).unwrap();
        for routes in [json!(rules), written] {
            let configuration = json!({"vars": {"ROUTES": routes}});
            assert_eq!(of(&configuration).unwrap().as_deref(), Some(rules));
        }
        for configuration in [json!({}), json!({"vars": {}})] {
            assert_eq!(of(&configuration).unwrap(), None);
        }
        assert!(of(&json!({"vars": {"ROUTES": {}}})).is_err());
    }
}
