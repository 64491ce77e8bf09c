//! Tables and lists of properties that fit the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Width};

use crate::terminal::Terminal;

/// A table with a line for each item, or a list of properties.
#[derive(Debug)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// The space between two columns.
const SPACE: u16 = 2;

/// The longest words that are not broken, tried from the first on until a table fits.
const UNBROKEN: [usize; 4] = [40, 24, 16, 13];

/// How a value is shown on a terminal with colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As all text.
    Plain,
    /// What is as it should be.
    Good,
    /// What needs attention.
    Warning,
    /// What failed.
    Bad,
    /// What matters less.
    Dim,
}

/// A value with a tone.
#[derive(Clone, Debug)]
pub struct Value {
    text: String,
    tone: Tone,
}

impl<T: Into<String>> From<T> for Value {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Plain,
        }
    }
}

impl Tone {
    /// Text in this tone, for output that is not a table.
    #[must_use]
    pub fn paint(self, text: &str, terminal: Terminal) -> String {
        let code = match self {
            Self::Good => "32",
            Self::Warning => "33",
            Self::Bad => "31",
            Self::Dim => "2",
            Self::Plain => return text.to_owned(),
        };
        if terminal.has_colors {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A value in this tone.
    pub fn of(self, text: impl Into<String>) -> Value {
        Value {
            text: text.into(),
            tone: self,
        }
    }
}

impl Value {
    fn cell(&self) -> Cell {
        let cell = Cell::new(&self.text);
        match self.tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Warning => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
            Tone::Dim => cell.add_attribute(Attribute::Dim),
        }
    }
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns.iter().map(|name| name.to_uppercase()).collect(),
            rows: Vec::new(),
        }
    }

    /// A list of properties: names and values.
    #[must_use]
    pub const fn properties() -> Self {
        Self {
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a line.
    pub fn row<const N: usize>(&mut self, values: [Value; N]) {
        self.rows.push(values.into());
    }

    /// Adds a property, unless it has no value.
    pub fn property(&mut self, name: &str, value: impl Into<Option<Value>>) {
        if let Some(value) = value.into() {
            self.rows.push(vec![Tone::Dim.of(name), value]);
        }
    }

    /// Whether it has no lines.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, which ends with a line feed. Columns without values are omitted. If the terminal has a width, long values are wrapped
    /// between words as far as possible.
    #[must_use]
    pub fn text(mut self, terminal: Terminal) -> String {
        self.omit_empty_columns();
        let mut table = comfy_table::Table::new();
        table.load_preset(NOTHING);
        if !self.columns.is_empty() {
            let header = self
                .columns
                .iter()
                .map(|name| Cell::new(name).add_attribute(Attribute::Bold));
            table.set_header(header);
        }
        for row in &self.rows {
            table.add_row(row.iter().map(Value::cell));
        }
        match terminal.width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic);
                table.set_width(width);
                if let Some(least) = self.least_widths(width) {
                    table.set_constraints(
                        least
                            .into_iter()
                            .map(|least| ColumnConstraint::LowerBoundary(Width::Fixed(least))),
                    );
                }
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if terminal.has_colors {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, SPACE));
        }
        let lines = table.trim_fmt();
        format!("{lines}\n")
    }

    fn omit_empty_columns(&mut self) {
        let is_used = |column: usize| {
            self.rows
                .iter()
                .any(|row| row.get(column).is_some_and(|value| !value.text.is_empty()))
        };
        let used: Vec<bool> = (0..self.columns.len()).map(is_used).collect();
        let keep = |index: usize| used.get(index).copied().unwrap_or(true);
        let mut index = 0..;
        self.columns.retain(|_| index.next().is_some_and(keep));
        for row in &mut self.rows {
            let mut index = 0..;
            row.retain(|_| index.next().is_some_and(keep));
        }
    }

    /// The widths of the columns with which no word is broken that is not too long; `None` if the table does not fit anyway.
    fn least_widths(&self, width: u16) -> Option<Vec<u16>> {
        let count = self.rows.iter().map(Vec::len).max()?;
        UNBROKEN.into_iter().find_map(|longest| {
            let widths: Vec<u16> = (0..count)
                .map(|column| {
                    let values = self
                        .rows
                        .iter()
                        .filter_map(|row| row.get(column))
                        .map(|value| value.text.as_str());
                    let texts = values.chain(self.columns.get(column).map(String::as_str));
                    let words = texts
                        .flat_map(str::split_whitespace)
                        .map(|word| word.chars().count());
                    let word = words
                        .filter(|length| *length <= longest)
                        .max()
                        .unwrap_or_default();
                    u16::try_from(word).unwrap_or_default() + SPACE
                })
                .collect();
            (widths.iter().sum::<u16>() <= width).then_some(widths)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["worker", "message"]);
        table.row([
            "agents".into(),
            Tone::Bad.of("a long message ".repeat(8).trim_end()),
        ]);
        table.row(["mail".into(), "short".into()]);
        table
    }

    #[test]
    fn a_table_fits_the_terminal() {
        for width in [80, 120] {
            let text = table().text(Terminal::new(Some(width), false));
            assert!(
                text.lines()
                    .all(|line| line.chars().count() <= usize::from(width)),
                "{text}"
            );
            assert!(text.starts_with("WORKER  MESSAGE\n"), "{text}");
            assert!(text.lines().all(|line| line == line.trim_end()), "{text:?}");
        }
    }

    #[test]
    fn a_table_in_a_file_has_one_line_for_each_item_and_no_colors() {
        let text = table().text(Terminal::new(None, false));
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
        let colored = table().text(Terminal::new(Some(80), true));
        assert!(
            colored.contains("\x1b[38;5;9m") || colored.contains("\x1b[31m"),
            "{colored:?}"
        );
    }

    #[test]
    fn words_are_not_broken_and_empty_columns_are_omitted() {
        let mut table = Table::new(&["when", "Worker", "commit", "message"]);
        for worker in ["agents in production", "billing-and-invoices in development"] {
            table.row([
                "3 min ago".into(),
                worker.into(),
                "".into(),
                "a long message ".repeat(9).into(),
            ]);
        }
        let text = table.text(Terminal::new(Some(80), false));
        assert!(!text.contains("COMMIT"), "{text}");
        for word in ["billing-and-invoices", "production", "development"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn a_property_without_a_value_is_omitted() {
        let mut table = Table::properties();
        table.property("lock", None);
        assert!(table.is_empty());
        table.property("worker", Value::from("agents"));
        assert_eq!(table.text(Terminal::new(None, false)), "worker  agents\n");
    }
}
