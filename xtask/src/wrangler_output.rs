//! The output of `wrangler dev` and of the Workers, for a developer's terminal.

use std::io::{self, Write};

/// Prints a line of output, unless it is empty.
pub fn show(line: &str) {
    if !line.trim().is_empty() {
        // The reader may have closed its end; the platform runs on.
        let _ = writeln!(io::stdout(), "{line}");
    }
}
