//! This reader's reading against `serde_json`'s.

use super::members::Members;
use super::{JsonError, Kind, Value};

fn to_serde(value: &Value<'_>) -> serde_json::Value {
    match &value.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Boolean(value) => (*value).into(),
        Kind::Number => serde_json::from_str(value.text).unwrap(),
        Kind::String(text) => (**text).into(),
        Kind::Array(elements) => elements.iter().map(to_serde).collect(),
        Kind::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone().into_owned(), to_serde(value)))
            .collect(),
    }
}

/// Both read the same, or both refuse.
fn compare(text: &str) {
    let ours = Value::parse(text);
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(theirs) => assert_eq!(to_serde(&ours.unwrap()), theirs, "{text}"),
        // Only serde_json has a largest number.
        Err(error) if error.to_string().starts_with("number out of range") => {}
        Err(error) => assert!(ours.is_err(), "serde_json refuses {text:?}: {error}"),
    }
}

const TEXTS: &[&str] = &[
    "",
    " ",
    "null",
    " null ",
    "nul",
    "nulll",
    "true",
    "false",
    "truefalse",
    "0",
    "-0",
    "00",
    "01",
    "-",
    "1.",
    ".5",
    "1.5",
    "1e5",
    "1E+5",
    "1e-",
    "1e",
    "+1",
    "0x1",
    "4294967296",
    "\"\"",
    "\"a\"",
    "\"a",
    "\"\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u00e9\"",
    "\"\\u00E9\"",
    "\"\\u00g0\"",
    "\"\\u+123\"",
    "\"\\u12\"",
    "\"\\ud83e\\udd80\"",
    "\"\\ud83e\"",
    "\"\\ud83e\\u0041\"",
    "\"\\ud83ea\"",
    "\"\\udd80\"",
    "\"\\udd80\\ud83e\"",
    "\"\\u0000\"",
    "\"\\b\\f\\n\\r\\t\\/\\\\\"",
    "\"a\nb\"",
    "\"a\u{1}b\"",
    "\"ü🦀\u{7f}\"",
    "\"ü\\n🦀\"",
    "[]",
    "[ ]",
    "[1]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1",
    "[",
    "]",
    "[1,[2,[3]]]",
    "{}",
    "{ }",
    "{\"a\":1}",
    "{ \"a\" : 1 , \"b\" : [ ] }",
    "{\"a\":1,}",
    "{a:1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1",
    "{\"a\":{\"b\":{}}}",
    "{1:2}",
    "[}",
    "{]",
    "[1]]",
    "1 2",
    "\u{feff}1",
    "\u{a0}1",
    "[1]\u{b}",
    "// a\n1",
];

#[test]
fn it_reads_what_serde_json_reads() {
    TEXTS.iter().copied().for_each(compare);
}

/// Every text with one byte left out, doubled, or exchanged for one that means something.
#[test]
fn it_refuses_what_serde_json_refuses() {
    let rules = r#"[{"pattern": "{a}.ü.example/x/*", "limits": {"cpu_ms": 50, "n": -1.5e3}, "o": [null, true, "\u00fc\\"]}]"#;
    for text in TEXTS.iter().copied().chain([rules]) {
        let bytes = text.as_bytes();
        for at in 0..bytes.len() {
            let replacements = b"\"\\{}[],:0-.e n\x01u".iter().map(|&byte| vec![byte]);
            for replacement in replacements.chain([vec![], vec![bytes[at], bytes[at]]]) {
                let mutated = [&bytes[..at], &replacement, &bytes[at + 1..]].concat();
                if let Ok(mutated) = str::from_utf8(&mutated) {
                    compare(mutated);
                }
            }
        }
    }
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(Value::parse(&nested(128)).is_ok());
    assert!(Value::parse(&nested(129)).is_err());
    assert!(Value::parse(&"[{\"a\":".repeat(1_000_000)).is_err());
}

#[test]
fn an_error_says_what_is_expected_and_where() {
    for (text, expected) in [
        ("", "a value is expected at line 1, column 1"),
        ("[1,\n üx]", "a value is expected at line 2, column 2"),
        ("{\"ü\": \"ü\" x}", "`,` or `}` is expected at line 1, column 11"),
        ("[1] 2", "the end is expected at line 1, column 5"),
    ] {
        assert_eq!(Value::parse(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn a_value_keeps_its_text() {
    let value = Value::parse(r#" [ {"a": "\u0041" } , 1.50 ] "#).unwrap();
    let elements = value.into_array().unwrap();
    let texts: Vec<_> = elements.iter().map(|element| element.text).collect();
    assert_eq!(texts, [r#"{"a": "\u0041" }"#, "1.50"]);
}

fn members(text: &str) -> Members<'_> {
    Value::parse(text).unwrap().into_members().unwrap()
}

#[test]
fn members_are_taken_one_by_one_and_none_goes_unread() {
    let mut some = members(r#"{"a": 1, "b": null, "c": "x", "d": true, "e": {"f": ""}, "g": 2}"#);
    assert_eq!(some.number("a"), Ok(Some(1)));
    assert_eq!(some.take("b"), Ok(None));
    assert_eq!(some.string("b"), Ok(None));
    assert_eq!(some.string("c").unwrap().as_deref(), Some("x"));
    assert_eq!(some.boolean("d"), Ok(Some(true)));
    let mut inner = some.object("e").unwrap().unwrap();
    assert_eq!(inner.required_string("f").unwrap(), "");
    assert_eq!(inner.finish(), Ok(()));
    assert_eq!(some.required_string("c"), Err(JsonError::MissingKey { key: "c" }));
    assert_eq!(some.finish(), Err(JsonError::UnknownKey { key: "g".to_owned() }));
    assert_eq!(
        members(r#"{"a": 1, "a": 1}"#).take("a"),
        Err(JsonError::KeyTwice { key: "a" })
    );
}

#[test]
fn a_value_of_another_type_is_named() {
    let value = |text| Value::parse(text).unwrap();
    for (error, expected) in [
        (value("1").into_array().unwrap_err(), "the value is not an array"),
        (
            value("[]").into_members().unwrap_err(),
            "the value is not an object",
        ),
        (
            members(r#"{"a": 1}"#).string("a").unwrap_err(),
            "\"a\" is not a string",
        ),
        (
            members(r#"{"a": 1}"#).boolean("a").unwrap_err(),
            "\"a\" is not true or false",
        ),
        (
            members(r#"{"a": 1}"#).object("a").unwrap_err(),
            "\"a\" is not an object",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
    for number in ["-1", "1.0", "1e1", "4294967296", "\"1\""] {
        assert!(
            members(&format!(r#"{{"a": {number}}}"#)).number("a").is_err(),
            "{number}"
        );
    }
}
