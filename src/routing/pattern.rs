use std::fmt;

use dotdo_names::Environment;

use super::captures::{Captures, MAX_CAPTURES};
use super::host;
use super::part::{ANY_ENVIRONMENT, ANY_PATH, ANY_TEXT, Alphabet, Part, PartCaptures};
use super::path::Path;
use super::problem::Problem;

/// The longest pattern, in characters.
const MAX_PATTERN: usize = 512;
/// The longest name of a capture, in characters.
const MAX_CAPTURE_NAME: usize = 32;
/// The name of the capture that chooses the environment.
pub(super) const ENV: &str = "env";
/// The name of the capture that is a Worker's name.
pub(super) const WORKER: &str = "worker";

/// A parsed pattern, `host[/path]`.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// As it was written.
    pub(super) text: Box<str>,
    /// The host's labels, the last one first.
    pub(super) labels: Box<[Part]>,
    /// The path's segments; none where any path matches.
    pub(super) segments: Box<[Part]>,
    /// Whether more may follow the segments.
    pub(super) open: bool,
    /// The captures' names, by number.
    pub(super) captures: Box<[Box<str>]>,
}

/// What a pattern is matched against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'u> {
    /// In lower case, without port and trailing dot.
    pub(super) host: &'u str,
    pub(super) path: Path<'u>,
    pub(super) alphabet: Alphabet,
}

/// Where a part of a pattern stands, which decides what its literal text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a label of the host.
    Host,
    /// In a segment of the path.
    Path,
}

impl fmt::Display for Place {
    /// What a text may hold there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "a host has only a-z, 0-9, `-` and `_`",
            Self::Path => "a path has only a-z, A-Z, 0-9 and -._~!$&'()+,;=:@, and everything else as `%…`",
        })
    }
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::PatternEmpty);
        }
        if text.len() > MAX_PATTERN {
            return Err(Problem::PatternTooLong { longest: MAX_PATTERN });
        }
        if text.contains("://") {
            return Err(Problem::Scheme);
        }
        let (host, path) = match text.split_once('/') {
            Some((host, path)) => (host, Some(path)),
            None => (text, None),
        };
        let mut captures = Vec::new();
        let mut labels = parse_host(host, &mut captures)?;
        labels.reverse();
        let (segments, open) = match path {
            Some(path) => parse_path(path, &mut captures)?,
            None => (Vec::new(), true),
        };
        if captures.len() > MAX_CAPTURES {
            return Err(Problem::TooManyCaptures { most: MAX_CAPTURES });
        }
        Ok(Self {
            text: text.into(),
            labels: labels.into(),
            segments: segments.into(),
            open,
            captures: captures.into(),
        })
    }

    /// The number of the capture with that name.
    pub(super) fn capture(&self, name: &str) -> Option<usize> {
        self.captures.iter().position(|capture| **capture == *name)
    }

    /// Whether host and path match, before anything is asked of the captured texts.
    pub(super) fn matches<'u>(&self, subject: Subject<'u>, captures: &mut Captures<'u>) -> bool {
        let mut labels = subject.host.rsplit('.');
        for part in &self.labels {
            match labels.next() {
                Some(label) if part.matches(label, subject.alphabet, captures) => {}
                _ => return false,
            }
        }
        if labels.next().is_some() {
            return false;
        }
        let mut path = subject.path;
        for part in &self.segments {
            match path.next() {
                Some((segment, behind)) if part.matches(segment, subject.alphabet, captures) => path = behind,
                _ => return false,
            }
        }
        self.open || path.next().is_none()
    }

    /// A host and a path that stand for everything that the pattern matches: another pattern matches them (with
    /// [`Alphabet::Sample`]) exactly if it matches everything that this one does.
    pub(super) fn sample(&self) -> (String, String) {
        let labels: Vec<String> = self
            .labels
            .iter()
            .rev()
            .map(|part| self.sample_of(part))
            .collect();
        let mut path = String::new();
        for part in &self.segments {
            path.push('/');
            path.push_str(&self.sample_of(part));
        }
        if self.open {
            path.push('/');
            path.push_str(ANY_PATH);
        }
        (labels.join("."), path)
    }

    fn sample_of(&self, part: &Part) -> String {
        let part = match part {
            Part::Literal(literal) => return literal.to_string(),
            Part::Captures(part) => part,
        };
        let mut sample = part.before.to_string();
        for number in 0..=part.between.len() {
            let name = self.captures.get(part.first + number);
            let stand_in = if name.is_some_and(|name| **name == *ENV) {
                ANY_ENVIRONMENT
            } else {
                ANY_TEXT
            };
            sample.push_str(stand_in);
            sample.push_str(part.between.get(number).unwrap_or(&part.after));
        }
        sample
    }
}

fn parse_host(text: &str, captures: &mut Vec<Box<str>>) -> Result<Vec<Part>, Problem> {
    if text.ends_with('.') {
        return Err(Problem::TrailingDot);
    }
    let labels = text
        .split('.')
        .map(|label| {
            if label.is_empty() {
                Err(Problem::LabelEmpty)
            } else {
                parse_part(label, Place::Host, captures)
            }
        })
        .collect::<Result<Vec<Part>, Problem>>()?;
    if let Some(label) = labels.iter().find(|label| label.shortest() > host::MAX_LABEL) {
        return Err(Problem::LabelTooLong {
            shortest: label.shortest(),
            longest: host::MAX_LABEL,
        });
    }
    let shortest = labels.iter().map(|label| label.shortest() + 1).sum::<usize>() - 1;
    if shortest > host::MAX_HOST {
        return Err(Problem::HostTooLong {
            longest: host::MAX_HOST,
        });
    }
    match labels.last() {
        Some(Part::Literal(last)) if host::is_number(last) => Err(Problem::AddressLiteral),
        Some(Part::Literal(_)) => Ok(labels),
        _ => Err(Problem::LastLabelCaptured),
    }
}

/// The segments, and whether `/*` follows them.
fn parse_path(text: &str, captures: &mut Vec<Box<str>>) -> Result<(Vec<Part>, bool), Problem> {
    let (text, open) = match text.strip_suffix('*') {
        Some("") => return Ok((Vec::new(), true)),
        Some(front) => match front.strip_suffix('/') {
            Some(front) => (front, true),
            None => return Err(Problem::StarInPath),
        },
        None => (text, false),
    };
    let count = text.split('/').count();
    let mut segments = Vec::with_capacity(count);
    for (number, segment) in text.split('/').enumerate() {
        if segment.is_empty() && (open || number + 1 < count) {
            return Err(Problem::SegmentEmpty);
        }
        if matches!(segment, "." | "..") {
            return Err(Problem::DotSegment);
        }
        segments.push(parse_part(segment, Place::Path, captures)?);
    }
    Ok((segments, open))
}

fn parse_part(text: &str, place: Place, captures: &mut Vec<Box<str>>) -> Result<Part, Problem> {
    let first = captures.len();
    let (before, mut rest) = match text.split_once('{') {
        Some((before, rest)) => (literal(before, place)?, rest),
        None => return Ok(Part::Literal(literal(text, place)?)),
    };
    let mut between = Vec::new();
    loop {
        let (name, behind) = rest.split_once('}').ok_or_else(|| Problem::BraceOpen {
            text: text.to_owned(),
        })?;
        push_capture(name, captures)?;
        let Some((middle, next)) = behind.split_once('{') else {
            let after = literal(behind, place)?;
            return Ok(Part::Captures(PartCaptures {
                before,
                between: between.into(),
                after,
                first,
            }));
        };
        if middle.is_empty() {
            return Err(Problem::CapturesAdjacent {
                text: text.to_owned(),
            });
        }
        between.push(literal(middle, place)?);
        rest = next;
    }
}

fn push_capture(name: &str, captures: &mut Vec<Box<str>>) -> Result<(), Problem> {
    if !is_capture_name(name) {
        return Err(Problem::CaptureName {
            name: name.to_owned(),
            longest: MAX_CAPTURE_NAME,
        });
    }
    if captures.iter().any(|capture| **capture == *name) {
        return Err(Problem::CaptureTwice {
            name: name.to_owned(),
        });
    }
    captures.push(name.into());
    Ok(())
}

fn is_capture_name(name: &str) -> bool {
    name.len() <= MAX_CAPTURE_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn literal(text: &str, place: Place) -> Result<Box<str>, Problem> {
    match text.chars().find(|&character| !is_literal(character, place)) {
        None => Ok(text.into()),
        Some(character) => Err(match (place, character) {
            (_, '}') => Problem::BraceClose {
                text: text.to_owned(),
            },
            (Place::Host, '*') => Problem::StarInHost,
            (Place::Path, '*') => Problem::StarInPath,
            (Place::Host, ':') => Problem::Port,
            (Place::Host, character) if character.is_ascii_uppercase() => Problem::UpperCase {
                lower: text.to_ascii_lowercase(),
            },
            (Place::Host, character) if !character.is_ascii() => Problem::UnicodeHost {
                text: text.to_owned(),
            },
            (Place::Path, character) if !character.is_ascii() => Problem::UnicodePath {
                text: text.to_owned(),
            },
            (Place::Path, '?' | '#') => Problem::QueryInPath { character },
            (place, character) => Problem::Character { character, place },
        }),
    }
}

/// Host labels as they arrive, and `pchar` of RFC 3986, section 3.3, for segments.
fn is_literal(character: char, place: Place) -> bool {
    match place {
        Place::Host => matches!(character, 'a'..='z' | '0'..='9' | '-' | '_'),
        Place::Path => character.is_ascii_alphanumeric() || "-._~!$&'()+,;=:@%".contains(character),
    }
}

/// The environment that a host's labels name: a label, or a part of one between `--`, that is an environment's host
/// label. The last label is none: `.dev` is a top-level domain. `Err` gives a text that names another environment.
///
/// `text` is a host, or the host of a pattern, whose captures in braces name nothing.
pub(super) fn names_only(text: &str, environment: Option<Environment>) -> Result<(), &str> {
    let Some((labels, _)) = text.rsplit_once('.') else {
        return Ok(());
    };
    for part in labels.split('.').flat_map(|label| label.split("--")) {
        let part = part.trim_matches('-');
        let named = Environment::from_host_label(part);
        if named.is_some() && named != environment {
            return Err(part);
        }
    }
    Ok(())
}
