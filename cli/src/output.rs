//! The standard output: text for people, or JSON for programs.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;
use crate::table::Table;
use crate::terminal::Terminal;

/// How a command writes its result.
#[derive(Clone, Debug)]
pub struct Output {
    is_json: bool,
    terminal: Terminal,
}

impl Output {
    /// The standard output of this process.
    #[must_use]
    pub fn new(is_json: bool) -> Self {
        Self {
            is_json,
            terminal: Terminal::of_stdout(),
        }
    }

    /// The output of a test.
    #[cfg(test)]
    pub const fn for_tests(terminal: Terminal) -> Self {
        Self {
            is_json: false,
            terminal,
        }
    }

    /// Whether the result is written as JSON.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.is_json
    }

    /// What the text must fit.
    #[must_use]
    pub const fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Writes text as it is.
    ///
    /// # Errors
    /// If the output is closed.
    #[expect(
        clippy::unused_self,
        reason = "the output is the standard output of this process"
    )]
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If the output is closed.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.text(&format!("{}\n", text.as_ref()))
    }

    /// Writes a table.
    ///
    /// # Errors
    /// If the output is closed.
    pub fn table(&self, table: Table) -> Result<(), Failure> {
        self.text(&table.text(self.terminal))
    }

    /// Writes JSON.
    ///
    /// # Errors
    /// If the output is closed.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.line(text)
    }

    /// Writes JSON with `--json`, and otherwise the text that `text` writes.
    ///
    /// # Errors
    /// If the output is closed.
    pub fn either(
        &self,
        json: &impl Serialize,
        text: impl FnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.is_json { self.json(json) } else { text(self) }
    }

    /// Writes a failure on the standard error.
    pub fn failure(&self, failure: &Failure) {
        if self.is_json {
            eprintln!("{:#}", failure.json());
        } else if io::stderr().is_terminal() && self.terminal.has_colors {
            eprintln!("\x1b[31merror:\x1b[0m {}", failure.text());
        } else {
            eprintln!("error: {}", failure.text());
        }
    }

    /// Tells a person something that is not part of the result, on the standard error.
    pub fn note(&self, text: &str) {
        if !self.is_json {
            eprintln!("{text}");
        }
    }
}
