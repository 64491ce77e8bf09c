//! The terminal to which this process writes its results.

use std::io::{self, IsTerminal as _};

use terminal_size::Width;

/// What a text must fit.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// The columns; `None` if the output is not a terminal.
    pub width: Option<u16>,
    /// Whether it shows colours.
    pub has_colors: bool,
}

impl Terminal {
    /// A terminal, or with `None` another output.
    #[must_use]
    pub const fn new(width: Option<u16>, has_colors: bool) -> Self {
        Self { width, has_colors }
    }

    /// The standard output of this process.
    #[must_use]
    pub fn of_stdout() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let has_colors =
            is_terminal && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let size = is_terminal
            .then(|| terminal_size::terminal_size_of(&stdout))
            .flatten();
        Self::new(size.map(|(Width(width), _)| width), has_colors)
    }
}
