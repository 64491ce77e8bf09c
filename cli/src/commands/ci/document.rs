//! A YAML file as a tree whose nodes know their place in the text, so that a change keeps everything else as it is.

use std::ops::Range;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

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
    let documents = MarkedYaml::load_from_str(text).map_err(|error| error.to_string())?;
    let bytes: Vec<usize> = text
        .char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()])
        .collect();
    let [document] = documents.as_slice() else {
        return Err("it has another number of documents than one".to_owned());
    };
    Ok(convert(document, text, &bytes))
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

    /// Calls a function with each scalar in this node.
    pub fn each_text<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        match &self.content {
            Content::Text(_) => visit(self),
            Content::List(list) => list.iter().for_each(|node| node.each_text(visit)),
            Content::Map(map) => map.iter().for_each(|(_, value)| value.each_text(visit)),
        }
    }
}

/// The number of the line with a byte, from 1.
pub fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}
