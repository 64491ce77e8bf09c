//! Changes of a text by bytes and whole lines.

use std::ops::Range;

use super::document::Lines;

/// A replacement of bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced.
    pub range: Range<usize>,
    /// What replaces them.
    pub text: String,
}

/// Makes each edit once: several jobs may need the same one, such as a permission of the workflow.
///
/// # Errors
/// If two edits overlap, which aliases of YAML can cause.
pub fn applied(text: &str, mut edits: Vec<Edit>) -> Result<String, String> {
    // What is added at the beginning of removed lines stays.
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup();
    let mut changed = String::with_capacity(text.len());
    let mut end = 0;
    for edit in &edits {
        let (Some(kept), true) = (
            text.get(end..edit.range.start),
            edit.range.start <= edit.range.end,
        ) else {
            return Err("two of its changes overlap".to_owned());
        };
        changed.push_str(kept);
        changed.push_str(&edit.text);
        end = edit.range.end;
    }
    changed.push_str(text.get(end..).unwrap_or_default());
    Ok(changed)
}

/// A text whose lines are edited.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a>(pub &'a str);

impl<'a> Source<'a> {
    /// Removes the lines of an entry, if nothing else is on them.
    ///
    /// # Errors
    /// If something else is on them, with the line.
    pub fn without_lines(self, range: Range<usize>) -> Result<Edit, String> {
        let start = self.line_start(range.start);
        // The value of a block scalar ends at the beginning of the next line.
        let last = self.slice(range.clone()).trim_end().len() + range.start;
        let end = self.line_end(last);
        let before = self.slice(start..range.start);
        let after = self.slice(last..end).trim().trim_start_matches('}').trim();
        if !before.trim().is_empty() || !(after.is_empty() || after.starts_with('#')) {
            return Err(format!(
                "line {} has more than the credential: remove it yourself",
                Lines::of(self.0).of_byte(range.start)
            ));
        }
        Ok(Edit {
            range: start..end,
            text: String::new(),
        })
    }

    /// The text of some bytes.
    pub fn slice(self, range: Range<usize>) -> &'a str {
        self.0.get(range).unwrap_or_default()
    }

    /// The first byte of the line with a byte.
    pub fn line_start(self, byte: usize) -> usize {
        self.slice(0..byte).rfind('\n').map_or(0, |end| end + 1)
    }

    /// The byte after the line break of the line with a byte.
    pub fn line_end(self, byte: usize) -> usize {
        let rest = self.slice(byte..self.0.len());
        rest.find('\n').map_or(self.0.len(), |end| byte + end + 1)
    }

    /// The line break that the text uses.
    pub fn line_break(self) -> &'static str {
        let first = self.slice(0..self.line_end(0));
        if first.ends_with("\r\n") { "\r\n" } else { "\n" }
    }
}
