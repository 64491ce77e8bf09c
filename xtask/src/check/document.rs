//! A configuration file with the line of each member, so that a problem names the line to change.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use jsonc_parser::{CollectOptions, ast, common::Ranged as _, parse_to_ast};
use serde_json::Value;

use super::problems::child;

/// The parsed text of a file.
#[derive(Debug)]
pub struct Document {
    /// The value, without comments.
    pub value: Value,
    /// The line of each member and element, from 1, by its JSON Pointer (RFC 6901).
    lines: BTreeMap<String, usize>,
    /// Members that occur twice in one object. JSON parsers keep only the last of them.
    pub repeated: Vec<String>,
}

impl Document {
    /// Parses the text of a `wrangler.jsonc`.
    ///
    /// # Errors
    /// If the text is not a JSONC object; the message has the line and the column.
    pub fn parse(text: &str) -> Result<Self> {
        let mut document = Self {
            value: wrangler_config::parse(text)?,
            lines: BTreeMap::new(),
            repeated: Vec::new(),
        };
        let parsed = parse_to_ast(text, &CollectOptions::default(), &wrangler_config::SYNTAX);
        if let Some(root) = parsed.map_err(|error| anyhow!("{error}"))?.value {
            document.locate(text, "", &root);
        }
        Ok(document)
    }

    /// The line of a member, or of the closest object around it if the member is missing; 1 for the file itself.
    pub fn line(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return *line;
            }
            match pointer.rsplit_once('/') {
                Some((parent, _)) => pointer = parent,
                None => return 1,
            }
        }
    }

    fn locate(&mut self, text: &str, pointer: &str, value: &ast::Value<'_>) {
        match value {
            ast::Value::Object(object) => {
                for property in &object.properties {
                    let pointer = child(pointer, property.name.as_str());
                    self.locate(text, &pointer, &property.value);
                    let line = line_of(text, property.range.start);
                    if self.lines.insert(pointer.clone(), line).is_some() {
                        self.repeated.push(pointer);
                    }
                }
            }
            ast::Value::Array(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    let pointer = child(pointer, &index.to_string());
                    self.locate(text, &pointer, element);
                    self.lines.insert(pointer, line_of(text, element.range().start));
                }
            }
            _ => {}
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "name": "a", // line 2
        "vars": {
            "A/B": [
                1,
                { "c": 2 },
            ],
        },
    }"#;

    #[test]
    fn knows_the_line_of_each_member_and_element() {
        let document = Document::parse(TEXT).unwrap();
        for (pointer, line) in [
            ("/name", 2),
            ("/vars", 3),
            ("/vars/A~1B", 4),
            ("/vars/A~1B/0", 5),
            ("/vars/A~1B/1/c", 6),
            ("/vars/A~1B/7/c", 4),
            ("/vars/MISSING", 3),
            ("/missing", 1),
            ("", 1),
        ] {
            assert_eq!(document.line(pointer), line, "{pointer}");
        }
    }

    #[test]
    fn finds_a_member_that_occurs_twice() {
        assert!(Document::parse(TEXT).unwrap().repeated.is_empty());
        let document = Document::parse("{\"vars\": {\"A\": 1, \"B\": [0, 0],\n\"A\": 2}}").unwrap();
        assert_eq!(document.repeated, ["/vars/A"]);
        assert_eq!(document.line("/vars/A"), 2);
    }
}
