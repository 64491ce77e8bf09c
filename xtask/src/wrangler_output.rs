//! What `wrangler dev` prints, less what only repeats itself.

use std::io::{self, Write};

/// Prints a line of wrangler's or a Worker's output, unless it tells a developer nothing.
pub fn show(line: &str) {
    if !is_noise(line) {
        // Whoever read the output may have gone; the platform runs on.
        let _ = writeln!(io::stdout(), "{line}");
    }
}

fn is_noise(line: &str) -> bool {
    line.trim().is_empty()
}
