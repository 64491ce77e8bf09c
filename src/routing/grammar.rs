//! Parses patterns, and rejects every one that cannot match a request as it arrives.

use super::host;
use super::pattern::{MAX_CAPTURES, Part, PartCaptures, Pattern};
use super::problem::{Place, Problem};
use super::url::is_dot_segment;

/// The longest pattern, in characters.
const MAX_PATTERN: usize = 512;
/// The longest name of a capture, in characters.
const MAX_CAPTURE_NAME: usize = 32;

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, Problem<'_>> {
        if text.is_empty() {
            return Err(Problem::PatternEmpty);
        }
        if text.len() > MAX_PATTERN {
            return Err(Problem::PatternTooLong { longest: MAX_PATTERN });
        }
        if text
            .split_once(':')
            .is_some_and(|(_, rest)| rest.starts_with("//"))
        {
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
}

fn parse_host<'t>(text: &'t str, captures: &mut Vec<Box<str>>) -> Result<Vec<Part>, Problem<'t>> {
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
        .collect::<Result<Vec<Part>, Problem<'_>>>()?;
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
fn parse_path<'t>(text: &'t str, captures: &mut Vec<Box<str>>) -> Result<(Vec<Part>, bool), Problem<'t>> {
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
        if is_dot_segment(segment) {
            return Err(Problem::DotSegment);
        }
        segments.push(parse_part(segment, Place::Path, captures)?);
    }
    Ok((segments, open))
}

fn parse_part<'t>(text: &'t str, place: Place, captures: &mut Vec<Box<str>>) -> Result<Part, Problem<'t>> {
    let first = captures.len();
    let (before, mut rest) = match text.split_once('{') {
        Some((before, rest)) => (literal(before, place)?, rest),
        None => return Ok(Part::Literal(literal(text, place)?)),
    };
    let mut between = Vec::new();
    loop {
        let (name, behind) = rest.split_once('}').ok_or(Problem::BraceOpen { text })?;
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
            return Err(Problem::CapturesAdjacent { text });
        }
        between.push(literal(middle, place)?);
        rest = next;
    }
}

fn push_capture<'t>(name: &'t str, captures: &mut Vec<Box<str>>) -> Result<(), Problem<'t>> {
    if !is_capture_name(name) {
        return Err(Problem::CaptureName {
            name,
            longest: MAX_CAPTURE_NAME,
        });
    }
    if captures.iter().any(|capture| **capture == *name) {
        return Err(Problem::CaptureTwice { name });
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

fn literal(text: &str, place: Place) -> Result<Box<str>, Problem<'_>> {
    match text.chars().find(|&character| !is_literal(character, place)) {
        None => Ok(text.into()),
        Some(character) => Err(match (place, character) {
            (_, '}') => Problem::BraceClose { text },
            (Place::Host, '*') => Problem::StarInHost,
            (Place::Path, '*') => Problem::StarInPath,
            (Place::Host, ':') => Problem::Port,
            (Place::Host, character) if character.is_ascii_uppercase() => Problem::UpperCase { text },
            (Place::Host, character) if !character.is_ascii() => Problem::UnicodeHost { text },
            (Place::Path, character) if !character.is_ascii() => Problem::UnicodePath { text },
            (Place::Path, '?' | '#') => Problem::QueryInPath { character },
            (place, character) => Problem::Character { character, place },
        }),
    }
}

/// In a host label: the characters of a host in punycode. In a segment: `pchar` of RFC 3986, section 3.3.
fn is_literal(character: char, place: Place) -> bool {
    match place {
        Place::Host => matches!(character, 'a'..='z' | '0'..='9' | '-' | '_'),
        Place::Path => {
            character.is_ascii_alphanumeric()
                || matches!(
                    character,
                    '-' | '.'
                        | '_'
                        | '~'
                        | '!'
                        | '$'
                        | '&'
                        | '\''
                        | '('
                        | ')'
                        | '+'
                        | ','
                        | ';'
                        | '='
                        | ':'
                        | '@'
                        | '%'
                )
        }
    }
}
