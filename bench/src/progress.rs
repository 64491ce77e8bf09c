//! Progress on standard error: one line that is overwritten on a terminal, a line every 15 seconds elsewhere.

use std::{
    fmt,
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// How often a line is written when it cannot be overwritten.
const INTERVAL: Duration = Duration::from_secs(15);

pub struct Progress {
    begun: Instant,
    written: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
            written: None,
            terminal: stderr().is_terminal(),
        }
    }

    /// Shows the next step.
    pub fn step(&mut self, what: fmt::Arguments<'_>) {
        let seconds = self.begun.elapsed().as_secs();
        let line = format!("[bench] {:2}:{:02}  {what}", seconds / 60, seconds % 60);
        // A closed standard error does not end the benchmark.
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K{line}");
            let _ = stderr().flush();
        } else if self.written.is_none_or(|written| written.elapsed() >= INTERVAL) {
            let _ = writeln!(stderr(), "{line}");
            self.written = Some(Instant::now());
        }
    }

    /// Clears the terminal's line.
    pub fn end(&mut self) {
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K");
            let _ = stderr().flush();
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}
