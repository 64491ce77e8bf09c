//! A YAML file as a tree whose nodes know their place in the text, so that a change keeps everything else as it is.

use std::ops::Range;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser};

/// A node, and where it is.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Its bytes in the text. Those of a mapping or a list begin with its first entry, and may end after it.
    pub range: Range<usize>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A scalar, as text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Node, Node)>),
}

/// Parses a file with one document.
///
/// # Errors
/// Why it is not YAML, with the line.
pub fn parse(text: &str) -> Result<Node, String> {
    check_depth(text)?;
    let documents = MarkedYaml::load_from_str(text).map_err(|error| error.to_string())?;
    let bytes: Vec<usize> = text
        .char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()])
        .collect();
    let [document] = documents.as_slice() else {
        return Err("it must have one document".to_owned());
    };
    Ok(convert(document, text, &bytes))
}

/// How deep a file may be nested: a node is read and dropped with its children by recursion.
const MAX_DEPTH: usize = 200;

/// Rejects a file that is nested too deeply, without recursion.
fn check_depth(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        match event.map_err(|error| error.to_string())?.0 {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
        }
    }
    Ok(())
}

/// `bytes` has the byte of each character.
fn convert(node: &MarkedYaml<'_>, text: &str, bytes: &[usize]) -> Node {
    let byte = |character: usize| bytes.get(character).copied().unwrap_or(text.len());
    let range = byte(node.span.start.index())..byte(node.span.end.index());
    let content = match &node.data {
        YamlData::Sequence(list) => {
            Content::List(list.iter().map(|node| convert(node, text, bytes)).collect())
        }
        YamlData::Mapping(map) => Content::Map(
            map.iter()
                .map(|(key, value)| (convert(key, text, bytes), convert(value, text, bytes)))
                .collect(),
        ),
        YamlData::Tagged(_, tagged) => return convert(tagged, text, bytes),
        YamlData::Value(Scalar::String(scalar)) => Content::Text(scalar.to_string()),
        _ => Content::Text(text.get(range.clone()).unwrap_or_default().trim().to_owned()),
    };
    Node { content, range }
}

impl Node {
    /// The text of a scalar; empty for another node.
    pub fn text(&self) -> &str {
        match &self.content {
            Content::Text(text) => text,
            _ => "",
        }
    }

    /// The elements of a list; none for another node.
    pub fn elements(&self) -> &[Self] {
        match &self.content {
            Content::List(list) => list,
            _ => &[],
        }
    }

    /// The entries of a mapping; none for another node.
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.content {
            Content::Map(map) => map,
            _ => &[],
        }
    }

    /// The entry of a mapping with a key.
    pub fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries().iter().find(|(found, _)| found.text() == key)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Calls a function with each scalar in this node and its key, which is empty for an element of a list.
    pub fn each_text<'a>(&'a self, visit: &mut impl FnMut(&'a str, &'a Self)) {
        self.each_text_at("", visit);
    }

    fn each_text_at<'a>(&'a self, key: &'a str, visit: &mut impl FnMut(&'a str, &'a Self)) {
        match &self.content {
            Content::Text(_) => visit(key, self),
            Content::List(list) => list.iter().for_each(|node| node.each_text_at("", visit)),
            Content::Map(map) => map
                .iter()
                .for_each(|(key, value)| value.each_text_at(key.text(), visit)),
        }
    }
}

/// The lines of a text.
pub struct Lines {
    /// The bytes of the line breaks.
    breaks: Vec<usize>,
}

impl Lines {
    pub fn of(text: &str) -> Self {
        Self {
            breaks: text.match_indices('\n').map(|(byte, _)| byte).collect(),
        }
    }

    /// The number of the line with a byte, from 1.
    pub fn of_byte(&self, byte: usize) -> usize {
        1 + self.breaks.partition_point(|found| *found < byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_nested_too_deeply_is_rejected() {
        let nested = |depth: usize| {
            let lines = (0..depth).map(|level| format!("{}k:\n", "  ".repeat(level)));
            lines.collect::<String>()
        };
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        for text in [
            nested(5_000),
            format!("{}x", "- ".repeat(5_000)),
            "[".repeat(5_000),
        ] {
            assert!(parse(&text).is_err());
        }
    }
}
