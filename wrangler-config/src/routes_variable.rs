use anyhow::{Result, bail};
use serde_json::Value;

/// The JSON text of the variable `ROUTES`, if it is set. Its value is an array or a string that contains one: the Worker
/// accepts both.
///
/// # Errors
/// If the value is anything else.
pub fn routes(configuration: &Value) -> Result<Option<String>> {
    match configuration.pointer("/vars/ROUTES") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(rules @ Value::Array(_)) => Ok(Some(rules.to_string())),
        Some(other) => bail!("ROUTES is {other}: write a JSON array of rules"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn accepts_an_array_and_its_text() {
        let rules = r#"[{"pattern":"a.example","worker":"a"}]"#;
        let written: Value = serde_json::from_str(rules).unwrap();
        for value in [json!(rules), written] {
            let configuration = json!({"vars": {"ROUTES": value}});
            assert_eq!(routes(&configuration).unwrap().as_deref(), Some(rules));
        }
        for configuration in [json!({}), json!({"vars": {}})] {
            assert_eq!(routes(&configuration).unwrap(), None);
        }
        assert!(routes(&json!({"vars": {"ROUTES": {}}})).is_err());
    }
}
