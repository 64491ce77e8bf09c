//! The marks with which isolates name the Worker and the request of a line of the console: `local/src/isolate/console.isolate.js`.

use std::borrow::Cow;

/// `consoleOrigin` in `local/src/isolate/names.ts`.
const START: char = '\u{1}';
const ENDS: [char; 2] = ['\u{2}', '\u{3}'];

/// A line of output with the Worker and the id of the request in front, in brackets. A line without a mark is unchanged.
pub fn with_origin(line: &str) -> Cow<'_, str> {
    let Some((before, marked)) = line.split_once(START) else {
        return Cow::Borrowed(line);
    };
    match marked.split_once(ENDS) {
        Some((origin, text)) => {
            // The runtime separates the values of a line by spaces.
            let text = text.strip_prefix(' ').unwrap_or(text);
            Cow::Owned(format!("[{origin}] {before}{text}"))
        }
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_line_begins_with_worker_and_request() {
        for (line, expected) in [
            (
                "\u{1}dotdo-staging/a ray-1\u{2}served /x",
                "[dotdo-staging/a ray-1] served /x",
            ),
            (
                "\u{1}dotdo-staging/a\u{3} { id: 7 }",
                "[dotdo-staging/a] { id: 7 }",
            ),
            (
                "[ERROR] \u{1}dotdo-staging/a ray-1\u{2}broken",
                "[dotdo-staging/a ray-1] [ERROR] broken",
            ),
            ("plain", "plain"),
            ("\u{1}without an end", "\u{1}without an end"),
        ] {
            assert_eq!(with_origin(line), expected);
        }
    }

    #[test]
    fn the_isolates_use_the_same_marks() {
        let path = crate::workspace::path("local/src/isolate/names.ts");
        let names = std::fs::read_to_string(path).unwrap();
        let marks = r#"consoleOrigin: { start: "\u0001", end: "\u0002", endOfValue: "\u0003" }"#;
        assert!(names.contains(marks));
    }
}
