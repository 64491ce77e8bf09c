//! The fenced code blocks of the documents.

use std::fs;

use anyhow::{Context, Result};
use end_to_end::repository;

/// A fenced code block of a document.
#[derive(Clone, Debug)]
pub struct Block {
    /// The number of its first line.
    pub line: usize,
    /// Its language, such as `sh`.
    pub language: String,
    /// Its lines without the indentation of the fence.
    pub text: String,
    /// The paragraph in front of it.
    pub before: String,
}

impl Block {
    /// Why the block cannot be executed in a test, if its comment says so.
    pub fn reason_to_skip(&self) -> Option<&'static str> {
        const REASONS: [&str; 7] = [
            "Needs a Cloudflare account",
            "Needs a CI job",
            "Needs a drift",
            "Needs a pull request",
            "Needs a release",
            "Runs until Ctrl-C",
            "Takes several minutes",
        ];
        let comments = self.text.lines().filter_map(|line| line.split_once("# "));
        let texts: Vec<_> = comments.map(|(_, comment)| comment).collect();
        REASONS
            .into_iter()
            .find(|reason| texts.iter().any(|text| text.contains(reason)))
    }

    /// The name of the file that the paragraph in front of the block says to write it to, such as `policy.json` or `deploy.sh`.
    pub fn file(&self) -> Option<&str> {
        self.before.split('`').skip(1).step_by(2).find(|name| {
            let stem = [".json", ".sh"]
                .into_iter()
                .find_map(|end| name.strip_suffix(end));
            stem.is_some_and(|stem| !stem.contains('/'))
        })
    }
}

/// The blocks of a document, in order.
pub fn blocks(document: &'static str) -> Result<Vec<Block>> {
    let text = fs::read_to_string(repository().join(document)).with_context(|| document.to_owned())?;
    let mut found = Vec::new();
    let mut before: Vec<&str> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim_start();
        let Some(language) = trimmed.strip_prefix("```") else {
            // A paragraph ends at an empty line, but an empty line between it and the block does not count.
            if trimmed.is_empty() {
                before.push("");
            } else {
                if before.last() == Some(&"") {
                    before.clear();
                }
                before.push(trimmed);
            }
            continue;
        };
        let indentation = line.len() - trimmed.len();
        let content = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| line.trim_start() != "```")
            .map(|line| format!("{}\n", line.get(indentation..).unwrap_or_default()));
        found.push(Block {
            line: number + 2,
            language: language.to_owned(),
            text: content.collect(),
            before: before.join("\n"),
        });
    }
    Ok(found)
}
