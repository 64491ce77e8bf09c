use std::borrow::Cow;

use super::error::JsonError;
use super::value::{Kind, Value};

/// Reads JSON (RFC 8259) from the start to the end of a text.
pub(super) struct Reader<'t> {
    text: &'t str,
    /// In bytes; always between two characters.
    position: usize,
    depth: usize,
}

/// As deep as `serde_json` goes: a text from outside must not exhaust the stack.
const MAX_DEPTH: usize = 128;

const STRING_END: &str = "a string has to end";

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            position: 0,
            depth: 0,
        }
    }

    pub(super) fn only_value(mut self) -> Result<Value<'t>, JsonError> {
        let value = self.value()?;
        self.skip_white_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.expected("the end is expected")),
        }
    }

    fn value(&mut self) -> Result<Value<'t>, JsonError> {
        self.skip_white_space();
        let start = self.position;
        let kind = match self.peek() {
            Some(b'"') => Kind::String(self.string()?),
            Some(b'[') => self.nested(Self::array)?,
            Some(b'{') => self.nested(Self::object)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ if self.take_text("null") => Kind::Null,
            _ if self.take_text("true") => Kind::Boolean(true),
            _ if self.take_text("false") => Kind::Boolean(false),
            _ => return Err(self.expected("a value is expected")),
        };
        Ok(Value {
            text: self.since(start),
            kind,
        })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Kind<'t>, JsonError>) -> Result<Kind<'t>, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.expected("no more than 128 levels are expected"));
        }
        self.depth += 1;
        self.position += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn array(&mut self) -> Result<Kind<'t>, JsonError> {
        let mut elements = Vec::new();
        if !self.take(b']') {
            loop {
                elements.push(self.value()?);
                if self.take(b']') {
                    break;
                }
                self.require(b',', "`,` or `]` is expected")?;
            }
        }
        Ok(Kind::Array(elements))
    }

    fn object(&mut self) -> Result<Kind<'t>, JsonError> {
        let mut members = Vec::new();
        if !self.take(b'}') {
            loop {
                self.skip_white_space();
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a key in quotes is expected"));
                }
                let key = self.string()?;
                self.require(b':', "`:` is expected")?;
                members.push((key, self.value()?));
                if self.take(b'}') {
                    break;
                }
                self.require(b',', "`,` or `}` is expected")?;
            }
        }
        Ok(Kind::Object(members))
    }

    fn number(&mut self) -> Result<Kind<'t>, JsonError> {
        let _ = self.take_byte(b'-');
        if !self.take_byte(b'0') {
            self.digits()?;
        }
        if self.take_byte(b'.') {
            self.digits()?;
        }
        if self.take_byte(b'e') || self.take_byte(b'E') {
            let _ = self.take_byte(b'+') || self.take_byte(b'-');
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        if self.position == start {
            return Err(self.expected("a digit is expected"));
        }
        Ok(())
    }

    /// Without its escapes; borrowed where there are none.
    fn string(&mut self) -> Result<Cow<'t, str>, JsonError> {
        self.position += 1;
        let mut unescaped = String::new();
        let mut start = self.position;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let end = self.since(start);
                    self.position += 1;
                    return Ok(if unescaped.is_empty() {
                        Cow::Borrowed(end)
                    } else {
                        Cow::Owned(unescaped + end)
                    });
                }
                Some(b'\\') => {
                    unescaped.push_str(self.since(start));
                    self.position += 1;
                    unescaped.push(self.escape()?);
                    start = self.position;
                }
                Some(b'\0'..=b'\x1f') => {
                    return Err(
                        self.expected("control characters are written as escapes, which are expected")
                    );
                }
                // Every other byte, of longer characters as well: neither a quote nor a backslash is part of one.
                Some(_) => self.position += 1,
                None => return Err(self.expected(STRING_END)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.peek().ok_or_else(|| self.expected(STRING_END))?;
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.position += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.expected("an escape is expected")),
        };
        self.position += 1;
        Ok(character)
    }

    /// One UTF-16 unit, or two that belong together.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let mut unit = self.hexadecimal()?;
        if (0xd800..0xdc00).contains(&unit) && self.take_text("\\u") {
            let low = self.hexadecimal()?;
            if (0xdc00..0xe000).contains(&low) {
                unit = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        char::from_u32(unit).ok_or_else(|| self.expected("both halves of a surrogate pair are expected"))
    }

    fn hexadecimal(&mut self) -> Result<u32, JsonError> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.expected("four hexadecimal digits are expected"))?;
            number = number * 16 + digit;
            self.position += 1;
        }
        Ok(number)
    }

    fn require(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    /// Skips white space, and the byte if it follows.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_white_space();
        self.take_byte(byte)
    }

    fn take_byte(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.position += usize::from(there);
        there
    }

    fn take_text(&mut self, text: &str) -> bool {
        let there = self
            .text
            .get(self.position..)
            .is_some_and(|rest| rest.starts_with(text));
        if there {
            self.position += text.len();
        }
        there
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.position).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> JsonError {
        let before = self.text.get(..self.position).unwrap_or(self.text);
        let (mut line, mut column) = (1, 1);
        for byte in before.bytes() {
            match byte {
                b'\n' => (line, column) = (line + 1, 1),
                // It continues a character.
                0x80..=0xbf => {}
                _ => column += 1,
            }
        }
        JsonError::Syntax {
            expected,
            line,
            column,
        }
    }
}
