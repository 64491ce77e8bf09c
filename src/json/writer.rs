/// About as long as what is written here gets, in bytes.
const TYPICAL: usize = 512;

/// Writes one object, member by member.
#[derive(Debug)]
pub struct ObjectWriter {
    text: String,
}

impl ObjectWriter {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        let mut text = String::with_capacity(TYPICAL);
        text.push('{');
        Self { text }
    }

    /// Adds a text of our own, which needs no escape: it is not searched for one.
    pub fn plain(&mut self, key: &'static str, text: &'static str) -> &mut Self {
        write_plain(self.member(key), text);
        self
    }

    /// Adds a string.
    pub fn string(&mut self, key: &'static str, value: &str) -> &mut Self {
        write_string(self.member(key), value);
        self
    }

    /// Adds a string, if there is one.
    pub fn optional(&mut self, key: &'static str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.string(key, value),
            None => self,
        }
    }

    /// Adds an array of strings.
    pub fn strings(&mut self, key: &'static str, values: &[&str]) -> &mut Self {
        let text = self.member(key);
        text.push('[');
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            write_string(text, value);
        }
        text.push(']');
        self
    }

    /// Adds JSON as it is: a boolean, an object that is written already.
    pub fn raw(&mut self, key: &'static str, json: &str) -> &mut Self {
        self.member(key).push_str(json);
        self
    }

    /// Adds a number.
    pub fn number(&mut self, key: &'static str, value: u32) -> &mut Self {
        self.raw(key, &value.to_string())
    }

    /// The object's text. The writer is empty after that.
    pub fn finish(&mut self) -> String {
        self.text.push('}');
        std::mem::take(&mut self.text)
    }

    /// Begins a member; its value comes next.
    fn member(&mut self, key: &'static str) -> &mut String {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        write_plain(&mut self.text, key);
        self.text.push(':');
        &mut self.text
    }
}

fn write_plain(text: &mut String, plain: &'static str) {
    debug_assert!(
        plain
            .bytes()
            .enumerate()
            .all(|(at, byte)| escaped(byte, plain, at).is_none())
    );
    text.push('"');
    text.push_str(plain);
    text.push('"');
}

fn write_string(text: &mut String, value: &str) {
    text.push('"');
    let (mut written, mut at) = (0, 0);
    // By bytes and by hand: what `opt-level = "z"` makes of an iterator takes five times as long, and an error's answer is
    // several hundred bytes.
    while let Some(&byte) = value.as_bytes().get(at) {
        if let Some(character) = escaped(byte, value, at) {
            text.push_str(value.get(written..at).unwrap_or_default());
            write_escape(text, character);
            written = at + character.len_utf8();
        }
        at += 1;
    }
    text.push_str(value.get(written..).unwrap_or_default());
    text.push('"');
}

/// The character that begins with this byte, if it must not stand there as it is.
fn escaped(byte: u8, value: &str, at: usize) -> Option<char> {
    match byte {
        b'"' | b'\\' | b'\0'..=b'\x1f' | b'\x7f' => Some(char::from(byte)),
        // U+2028 and U+2029 end a line for some readers of logs.
        0xe2 => {
            let character = value.get(at..)?.chars().next()?;
            matches!(character, '\u{2028}' | '\u{2029}').then_some(character)
        }
        _ => None,
    }
}

fn write_escape(text: &mut String, character: char) {
    text.push('\\');
    match character {
        '"' | '\\' => text.push(character),
        '\n' => text.push('n'),
        other => {
            text.push('u');
            for digit in [12, 8, 4, 0] {
                let digit = (u32::from(other) >> digit) & 0xf;
                text.push(char::from_digit(digit, 16).unwrap_or_default());
            }
        }
    }
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
            .plain("plain", "text")
            .string("hostile", &hostile)
            .optional("there", Some(""))
            .optional("not there", None)
            .strings("some", &["a", "\""])
            .strings("none", &[])
            .raw("nested", &ObjectWriter::new().number("n", 503).finish())
            .finish();
        assert!(!text.contains(['\n', '\u{2028}']));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            json!({ "plain": "text", "hostile": hostile, "there": "", "some": ["a", "\""], "none": [], "nested": { "n": 503 } })
        );
        assert_eq!(ObjectWriter::new().finish(), "{}");
    }
}
