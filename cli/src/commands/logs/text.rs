//! Events of a log as text that fits the terminal.

use std::fmt::Write as _;

use deploy_api::logs::{LogEvent, LogException, LogLevel, LogTrigger};

use crate::table::Tone;
use crate::terminal::Terminal;

/// The indent of what belongs to an event.
const INDENT: usize = 4;

/// The width of the names of levels, with the space after them.
const LEVEL: usize = 7;

/// An event with its lines and exceptions; ends with a line feed.
#[must_use]
pub fn event(event: &LogEvent, terminal: Terminal) -> String {
    let mut text = Text {
        written: String::new(),
        terminal,
    };
    let failed = event.outcome != "ok" || event.status.is_some_and(|status| status >= 500);
    let tone = if failed { Tone::Bad } else { Tone::Good };
    let mut words = vec![
        (Tone::Dim, format!("{:.3}", event.time)),
        (tone, event.code.as_ref().unwrap_or(&event.outcome).clone()),
    ];
    words.extend(event.status.map(|status| (tone, status.to_string())));
    match &event.method {
        Some(method) => words.push((Tone::Plain, method.clone())),
        None => words.push((Tone::Plain, trigger(event.trigger).to_owned())),
    }
    let place = [&event.host, &event.path].map(|part| part.as_deref().unwrap_or_default());
    words.push((Tone::Plain, place.concat()));
    words.extend(event.wall_ms.map(|wall| (Tone::Dim, format!("{wall}ms"))));
    words.extend(event.cpu_ms.map(|cpu| (Tone::Dim, format!("cpu:{cpu}ms"))));
    words.extend(event.request_id.clone().map(|id| (Tone::Dim, id)));
    text.words(&words);
    for line in &event.lines {
        let tone = match line.level {
            LogLevel::Error => Tone::Bad,
            LogLevel::Warn => Tone::Warning,
            LogLevel::Debug => Tone::Dim,
            LogLevel::Log | LogLevel::Info => Tone::Plain,
        };
        text.paragraph(tone, line.level.name(), &line.text);
    }
    for exception in &event.exceptions {
        text.paragraph(Tone::Bad, "", &thrown(exception));
    }
    if event.omitted > 0 {
        let omitted = format!(
            "{} more lines and exceptions are left out, because the event is too long.",
            event.omitted
        );
        text.paragraph(Tone::Warning, "", &omitted);
    }
    text.written
}

/// That events are missing; ends with a line feed.
#[must_use]
pub fn dropped(what: &str, terminal: Terminal) -> String {
    let mut text = Text {
        written: String::new(),
        terminal,
    };
    text.words(&[(Tone::Warning, what.to_owned())]);
    text.written
}

/// What started a Worker that did not receive a request.
const fn trigger(trigger: LogTrigger) -> &'static str {
    match trigger {
        LogTrigger::Request => "request",
        LogTrigger::Call => "call",
        LogTrigger::Scheduled => "cron",
        LogTrigger::Alarm => "alarm",
        LogTrigger::Queue => "queue",
        LogTrigger::Email => "email",
        LogTrigger::Tail => "tail",
        LogTrigger::WebSocket => "WebSocket message",
        LogTrigger::Other => "other event",
    }
}

/// The stack, which usually begins with the name and the message; or else these.
fn thrown(exception: &LogException) -> String {
    let title = format!("{}: {}", exception.name, exception.message);
    match &exception.stack {
        Some(stack) if stack.contains(&exception.message) => stack.clone(),
        Some(stack) => format!("{title}\n{stack}"),
        None => title,
    }
}

/// Text without control characters: what end users send must not control the terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(|character| match character {
            '\t' => "  ".chars().collect(),
            control if control.is_control() => control.escape_unicode().collect(),
            other => vec![other],
        })
        .collect()
}

struct Text {
    written: String,
    terminal: Terminal,
}

impl Text {
    /// Words, which continue on indented lines where the terminal ends.
    fn words(&mut self, words: &[(Tone, String)]) {
        let width = self.terminal.width.map_or(usize::MAX, usize::from);
        let mut column = 0;
        for (tone, word) in words.iter().filter(|(_, word)| !word.is_empty()) {
            for (number, part) in wrapped(&harmless(word), width.saturating_sub(INDENT))
                .into_iter()
                .enumerate()
            {
                let length = part.chars().count();
                if column > 0 && (number > 0 || column + 1 + length > width) {
                    let _ = write!(self.written, "\n{:INDENT$}", "");
                    column = INDENT;
                } else if column > 0 {
                    self.written.push(' ');
                    column += 1;
                }
                self.written.push_str(&tone.paint(&part, self.terminal));
                column += length;
            }
        }
        self.written.push('\n');
    }

    /// The lines of a text, indented, with a label before the first one.
    fn paragraph(&mut self, tone: Tone, label: &str, text: &str) {
        let indent = INDENT + if label.is_empty() { 0 } else { LEVEL };
        let width = self.terminal.width.map_or(usize::MAX, usize::from);
        let mut label = label;
        for line in text.lines() {
            for part in wrapped(&harmless(line), width.saturating_sub(indent)) {
                let label = std::mem::take(&mut label);
                let before = format!("{:INDENT$}{label}", "");
                let before = format!("{before:indent$}");
                let _ = writeln!(self.written, "{before}{}", tone.paint(&part, self.terminal));
            }
        }
    }
}

/// The parts of a line that fit a width, broken between words if possible.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest: Vec<char> = line.chars().collect();
    let width = width.max(1);
    while rest.len() > width {
        let space = rest
            .iter()
            .take(width + 1)
            .rposition(|character| *character == ' ');
        // The indent of a line is not a place to break it.
        let is_text = |end: &usize| rest.iter().take(*end).any(|character| *character != ' ');
        let end = space.filter(is_text).unwrap_or(width);
        let after = rest.split_off(end);
        parts.push(rest.into_iter().collect());
        rest = after
            .into_iter()
            .skip_while(|character| *character == ' ')
            .collect();
    }
    parts.push(rest.into_iter().collect());
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed() -> LogEvent {
        serde_json::from_value(json!({
            "time": "2026-11-28T12:00:00.25Z", "namespace": "dotdo-staging", "worker": "agents", "source": "worker",
            "trigger": "request", "deployment": null, "version": "v1", "outcome": "exception", "code": null,
            "request_id": "8f1f0d3c2b1a0987-AMS", "method": "POST", "host": "agents.do", "path": "/pay", "status": null,
            "wall_ms": 12, "cpu_ms": 3, "omitted": 2,
            "lines": [
                { "time": "2026-11-28T12:00:00.25Z", "level": "info", "text": "paid\nby card" },
                { "time": "2026-11-28T12:00:00.25Z", "level": "error", "text": "\u{1b}[2Jwiped" },
            ],
            "exceptions": [{ "time": "2026-11-28T12:00:00.25Z", "name": "TypeError", "message": "broken",
                "stack": "TypeError: broken\n    at fetch (index.js:1:2)" }],
        }))
        .unwrap()
    }

    #[test]
    fn an_event_has_its_lines_and_exceptions() {
        assert_eq!(
            event(&failed(), Terminal::new(None, false)),
            "2026-11-28T12:00:00.250Z exception POST agents.do/pay 12ms cpu:3ms 8f1f0d3c2b1a0987-AMS
    info   paid
           by card
    error  \\u{1b}[2Jwiped
    TypeError: broken
        at fetch (index.js:1:2)
    2 more lines and exceptions are left out, because the event is too long.
"
        );
    }

    #[test]
    fn an_event_without_a_request_says_what_started_it() {
        let mut cron = failed();
        cron.trigger = LogTrigger::Scheduled;
        (cron.method, cron.host, cron.path, cron.request_id) = (None, None, None, None);
        let text = event(&cron, Terminal::new(None, false));
        assert!(text.contains(" exception cron 12ms cpu:3ms\n"), "{text}");
    }

    #[test]
    fn an_event_fits_the_terminal() {
        let mut long = failed();
        long.path = Some(format!("/{}", "a".repeat(200)));
        if let Some(line) = long.lines.first_mut() {
            line.text = "a long message ".repeat(12);
        }
        for width in [80, 120] {
            let text = event(&long, Terminal::new(Some(width), false));
            assert!(
                text.lines()
                    .all(|line| line.chars().count() <= usize::from(width)),
                "{text}"
            );
            assert!(
                text.contains("\n           long message") || text.contains("\n           message"),
                "{text}"
            );
        }
    }

    #[test]
    fn colors_exist_only_on_a_terminal() {
        let colored = event(&failed(), Terminal::new(Some(80), true));
        assert!(colored.contains("\x1b[31mexception\x1b[0m"), "{colored:?}");
        assert!(!event(&failed(), Terminal::new(Some(80), false)).contains('\x1b'));
    }

    #[test]
    fn a_stack_without_the_message_follows_it() {
        let mut exception = failed().exceptions.remove(0);
        exception.stack = Some("    at x".to_owned());
        assert_eq!(thrown(&exception), "TypeError: broken\n    at x");
        exception.stack = None;
        assert_eq!(thrown(&exception), "TypeError: broken");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("    abcdefghij", 8), ["    abcd", "efghij"]);
        assert_eq!(wrapped("", 8), [""]);
    }
}
