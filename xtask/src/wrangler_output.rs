//! What `wrangler dev` prints, less what only repeats itself.

/// Prints a line of wrangler's or a Worker's output, unless it tells a developer nothing.
pub fn show(line: &str) {
    if !is_noise(line) {
        println!("{line}");
    }
}

fn is_noise(line: &str) -> bool {
    line.trim().is_empty()
}
