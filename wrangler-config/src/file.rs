use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde_json::Value;

/// The syntax that wrangler accepts.
pub const SYNTAX: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a `wrangler.jsonc`.
///
/// # Errors
/// If the file cannot be read or is not a JSONC object; the message has the file, the line and the column.
pub fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Some editors write a byte order mark, which wrangler removes.
    parse(text.trim_start_matches('\u{feff}')).with_context(|| format!("{} is not valid", path.display()))
}

/// Parses the text of a `wrangler.jsonc`.
///
/// # Errors
/// If the text is not a JSONC object; the message has the line and the column.
pub fn parse(text: &str) -> Result<Value> {
    let value: Value = parse_to_serde_value(text, &SYNTAX).map_err(|error| anyhow!("{error}"))?;
    if !value.is_object() {
        bail!("the file must contain an object, in braces");
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_comments_and_trailing_commas() {
        let text = r#"{
            // The script name.
            "name": "dispatcher", /* and */
            "routes": ["https://a.do/*",],
        }"#;
        let expected = json!({"name": "dispatcher", "routes": ["https://a.do/*"]});
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn rejects_what_wrangler_rejects_with_line_and_column() {
        for text in [
            "{\n name: 1}",
            "{\n 'name': 1}",
            "{\n \"name\": 0x1}",
            "{\n \"name\": 1",
            "{\n \"a\": 1 \"b\": 2}",
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains("line 2"), "{text}: {error}");
        }
    }

    #[test]
    fn rejects_a_file_without_an_object() {
        for text in ["", "[]", "null", "// nothing"] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains("must contain an object"), "{text:?}: {error}");
        }
    }
}
