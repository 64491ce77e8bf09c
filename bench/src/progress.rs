//! Progress, on standard error: one line that changes on a terminal, and a line now and then elsewhere.

use std::{
    fmt,
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// How often a line is written where it cannot be overwritten.
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

    /// Says what is done next.
    pub fn step(&mut self, what: fmt::Arguments<'_>) {
        let seconds = self.begun.elapsed().as_secs();
        let line = format!("[bench] {:2}:{:02}  {what}", seconds / 60, seconds % 60);
        // Nothing hangs on progress: a closed standard error is no reason to end.
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K{line}");
            let _ = stderr().flush();
        } else if self.written.is_none_or(|written| written.elapsed() >= INTERVAL) {
            let _ = writeln!(stderr(), "{line}");
            self.written = Some(Instant::now());
        }
    }

    /// Leaves the terminal's line to others.
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
