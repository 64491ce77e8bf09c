//! Shows that a command waits: after a second, on the standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a command may take before its progress is shown.
const QUIET: Duration = Duration::from_secs(1);

/// How often the shown time changes.
const STEP: Duration = Duration::from_millis(250);

/// Does something. If it takes longer than a second, a line says what is being done; on a terminal with the seconds since the
/// beginning, and it disappears at the end.
pub fn during<T>(what: &str, action: impl FnOnce() -> T) -> T {
    let is_terminal = io::stderr().is_terminal();
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || show(what, is_terminal, &end));
        let result = action();
        drop(ended);
        result
    })
}

fn show(what: &str, is_terminal: bool, end: &mpsc::Receiver<()>) {
    let begin = Instant::now();
    if !matches!(end.recv_timeout(QUIET), Err(RecvTimeoutError::Timeout)) {
        return;
    }
    // The line is a courtesy: a closed standard error changes nothing.
    let mut stderr = io::stderr();
    if !is_terminal {
        let _ = writeln!(stderr, "{what} …");
        let _ = end.recv();
        return;
    }
    loop {
        let _ = write!(stderr, "\r\x1b[2K{what} … {} s", begin.elapsed().as_secs());
        let _ = stderr.flush();
        if !matches!(end.recv_timeout(STEP), Err(RecvTimeoutError::Timeout)) {
            break;
        }
    }
    let _ = write!(stderr, "\r\x1b[2K");
    let _ = stderr.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_result_of_the_action() {
        assert_eq!(during("counting", || 7), 7);
    }

    #[test]
    fn ends_with_the_action_after_it_was_shown() {
        let begin = Instant::now();
        during("waiting", || thread::sleep(QUIET + STEP));
        assert!(begin.elapsed() < QUIET + STEP * 8, "{:?}", begin.elapsed());
    }
}
