use std::fmt::Write as _;

/// Writes one object, member by member.
#[derive(Debug)]
pub struct ObjectWriter {
    text: String,
}

impl ObjectWriter {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self { text: "{".to_owned() }
    }

    /// Adds a string.
    #[must_use]
    pub fn string(self, key: &str, value: &str) -> Self {
        self.member(key, |text| write_string(text, value))
    }

    /// Adds a string, if there is one.
    #[must_use]
    pub fn optional(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.string(key, value),
            None => self,
        }
    }

    /// Adds JSON as it is: a number, a boolean, an object that is written already.
    #[must_use]
    pub fn raw(self, key: &str, json: &str) -> Self {
        self.member(key, |text| text.push_str(json))
    }

    /// Adds JSON as it is, if there is any.
    #[must_use]
    pub fn optional_raw(self, key: &str, json: Option<&str>) -> Self {
        match json {
            Some(json) => self.raw(key, json),
            None => self,
        }
    }

    /// The object's text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn member(mut self, key: &str, value: impl FnOnce(&mut String)) -> Self {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        write_string(&mut self.text, key);
        self.text.push(':');
        value(&mut self.text);
        self
    }
}

fn write_string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            // U+2028 and U+2029 end a line for some readers of logs.
            '\0'..='\x1f' | '\x7f' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_is_written_reads_back() {
        let hostile: String = (0..0x300u32)
            .chain([0x2028, 0x2029, 0x1f980])
            .filter_map(char::from_u32)
            .collect();
        let text = ObjectWriter::new()
            .string("a\"key", &hostile)
            .optional("there", Some(""))
            .optional("not there", None)
            .raw("nested", &ObjectWriter::new().raw("n", "503").finish())
            .finish();
        assert!(!text.contains(['\n', '\u{2028}']));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            json!({ "a\"key": hostile, "there": "", "nested": { "n": 503 } })
        );
        assert_eq!(ObjectWriter::new().finish(), "{}");
    }
}
