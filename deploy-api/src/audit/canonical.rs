//! The canonical JSON of an entry, which is hashed: a subset of RFC 8785 (JSON Canonicalization Scheme).
//!
//! No space between tokens; the members of an object sorted by name; texts escaped as in RFC 8785, section 3.2.2.2;
//! only integers within ±(2^53 - 1). A value outside of the subset is an error:
//! fractions, larger numbers, and member names that are not ASCII (whose order RFC 8785 defines by UTF-16).

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

/// The largest whole number that every JSON reader keeps exactly: 2^53 - 1 (RFC 7493, section 2.2).
const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// The value is outside of the subset.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotCanonical {
    /// A fraction, an exponent, or a number that some JSON readers round.
    #[error("the number {0} is not an integer within 2^53 - 1")]
    Number(String),
    /// A member whose place in the order would depend on an encoding.
    #[error("the member name {0:?} is not ASCII")]
    MemberName(String),
    /// The value cannot be JSON at all.
    #[error("the value is not JSON: {0}")]
    Unserializable(String),
}

/// The canonical JSON of a value.
///
/// # Errors
/// If the value contains something that the form does not support.
pub fn to_string(value: &impl Serialize) -> Result<String, NotCanonical> {
    of_value(&serde_json::to_value(value).map_err(|error| NotCanonical::Unserializable(error.to_string()))?)
}

/// The canonical JSON of a value that is JSON already.
///
/// # Errors
/// If the value contains something that the form does not support.
pub fn of_value(value: &Value) -> Result<String, NotCanonical> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => {
            let safe = number
                .as_i64()
                .filter(|n| (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(n));
            text.push_str(
                &safe
                    .ok_or_else(|| NotCanonical::Number(number.to_string()))?
                    .to_string(),
            );
        }
        Value::String(string) => write_text(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            // Sorted here, because the map keeps another order when some crate of the build asks serde_json to.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, item)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                if !name.is_ascii() {
                    return Err(NotCanonical::MemberName(name.clone()));
                }
                write_text(name, text);
                text.push(':');
                write(item, text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn write_text(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            c if c < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_and_nothing_is_between_tokens() {
        let value = json!({"b": [1, true, null], "a": {"z": "", "A": -7}});
        assert_eq!(
            to_string(&value).unwrap(),
            r#"{"a":{"A":-7,"z":""},"b":[1,true,null]}"#
        );
    }

    #[test]
    fn texts_are_escaped_as_rfc_8785_has_it() {
        // The example of RFC 8785, section 3.2.2.
        let value = json!("\u{20ac}$\u{000F}\u{000a}A'\u{0042}\u{0022}\u{005c}\\\"/");
        assert_eq!(to_string(&value).unwrap(), "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
        assert_eq!(
            to_string(&"\u{8}\u{c}\r\t\u{7f}é😀").unwrap(),
            "\"\\b\\f\\r\\t\u{7f}é😀\""
        );
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        for number in [
            "1.5",
            "1e3",
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551615",
        ] {
            let value: Value = serde_json::from_str(number).unwrap();
            assert!(
                matches!(to_string(&value), Err(NotCanonical::Number(_))),
                "{number}"
            );
        }
        assert_eq!(to_string(&9_007_199_254_740_991_i64).unwrap(), "9007199254740991");
        assert_eq!(
            to_string(&json!({"é": 1})),
            Err(NotCanonical::MemberName("é".to_owned()))
        );
    }
}
