use super::host::last_label;
use super::url::Path;

/// The name of the capture that selects the environment.
pub(super) const ENV: &str = "env";
/// The name of the capture that is a Worker's name.
pub(super) const WORKER: &str = "worker";

/// A parsed pattern, `host[/path]`.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The text that was parsed.
    pub(super) text: Box<str>,
    /// The host's labels, the last one first.
    pub(super) labels: Box<[Part]>,
    /// The path's segments; empty if any path matches.
    pub(super) segments: Box<[Part]>,
    /// Whether more segments may follow.
    pub(super) open: bool,
    /// The captures' names, by number.
    pub(super) captures: Box<[Box<str>]>,
}

/// What a pattern is matched against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'u> {
    /// The host in lower case, without port and trailing dot.
    pub(super) host: &'u str,
    pub(super) path: Path<'u>,
    pub(super) alphabet: Alphabet,
}

impl Pattern {
    /// The number of literal bytes: the higher it is, the more specific the pattern.
    pub(super) fn literal_length(&self) -> usize {
        let parts = self.labels.iter().chain(&self.segments);
        parts.map(Part::literal_length).sum()
    }

    /// Whether a host that the pattern matches can name an environment outside of literal labels (which are checked
    /// when the rule is loaded), `{env}` and `{worker}` (which never matches an environment's label).
    pub(super) fn can_name_environment(&self) -> bool {
        let is_checked = |number: usize| {
            let name = self.captures.get(number).map_or("", |name| name);
            matches!(name, ENV | WORKER)
        };
        self.labels.iter().any(|part| match part {
            Part::Literal(_) => false,
            Part::Captures(part) => {
                let joined_by_hyphens = matches!(&*part.between, [text] if **text == *"--");
                let plain = part.before.is_empty() && part.after.is_empty();
                let only_checked = (part.first..=part.first + part.between.len()).all(is_checked);
                !(plain && only_checked && (part.between.is_empty() || joined_by_hyphens))
            }
        })
    }

    /// The number of the capture with that name.
    pub(super) fn capture(&self, name: &str) -> Option<usize> {
        self.captures.iter().position(|capture| **capture == *name)
    }

    /// Whether host and path match; the captured texts are not checked. If they match, the captures are recorded.
    pub(super) fn matches<'u>(&self, subject: Subject<'u>, captures: &mut Captures<'u>) -> bool {
        let mut host = Some(subject.host);
        for part in &self.labels {
            match host.map(last_label) {
                Some((label, rest)) if part.matches(label, subject.alphabet, captures) => host = rest,
                _ => return false,
            }
        }
        if host.is_some() {
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

    /// The witness of the pattern: a host and a path that another pattern matches (with [`Alphabet::Witness`]) exactly
    /// if it matches everything that this pattern matches.
    pub(super) fn witness(&self) -> (String, String) {
        let mut host = String::new();
        for part in self.labels.iter().rev() {
            if !host.is_empty() {
                host.push('.');
            }
            self.push_witness(&mut host, part);
        }
        let mut path = String::new();
        for part in &self.segments {
            path.push('/');
            self.push_witness(&mut path, part);
        }
        if self.open {
            path.push('/');
            path.push_str(ANY_PATH);
        }
        (host, path)
    }

    fn push_witness(&self, witness: &mut String, part: &Part) {
        let part = match part {
            Part::Literal(literal) => return witness.push_str(literal),
            Part::Captures(part) => part,
        };
        witness.push_str(&part.before);
        for number in 0..=part.between.len() {
            let name = self.captures.get(part.first + number);
            let placeholder = if name.is_some_and(|name| **name == *ENV) {
                ANY_ENVIRONMENT
            } else {
                ANY_TEXT
            };
            witness.push_str(placeholder);
            witness.push_str(part.between.get(number).unwrap_or(&part.after));
        }
    }
}

/// One host label or path segment of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Only this text matches.
    Literal(Box<str>),
    /// Captures, with text around and between them.
    Captures(PartCaptures),
}

/// A part with at least one capture: `before`, a capture, then for each of `between` that text and a capture, `after`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartCaptures {
    pub(super) before: Box<str>,
    pub(super) between: Box<[Box<str>]>,
    pub(super) after: Box<str>,
    /// The number of the first capture; the others follow.
    pub(super) first: usize,
}

/// The characters that a capture matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// In a request's label or segment: `[a-z0-9-]`.
    Request,
    /// In the [witness](Pattern::witness) of a pattern: also the placeholders of captures.
    Witness,
}

/// The placeholder of a capture in a witness. A request's host and a literal cannot contain it.
pub(super) const ANY_TEXT: &str = "\0";
/// The placeholder of `{env}` in a witness.
pub(super) const ANY_ENVIRONMENT: &str = "\u{1}";
/// The placeholder of the rest of a path in a witness. A capture does not match it.
pub(super) const ANY_PATH: &str = "\u{2}";

impl Alphabet {
    fn covers(self, text: &str) -> bool {
        let placeholders = match self {
            Self::Request => 0,
            Self::Witness => 2,
        };
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') || byte < placeholders)
    }
}

impl Part {
    /// Whether the part matches the whole of `text`; if it does, its captures are recorded.
    pub(super) fn matches<'u>(&self, text: &'u str, alphabet: Alphabet, captures: &mut Captures<'u>) -> bool {
        match self {
            Self::Literal(literal) => **literal == *text,
            Self::Captures(part) => part.matches(text, alphabet, captures),
        }
    }

    /// The number of literal bytes.
    pub(super) fn literal_length(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Captures(part) => {
                let between: usize = part.between.iter().map(|text| text.len()).sum();
                part.before.len() + between + part.after.len()
            }
        }
    }

    /// The length in bytes of the shortest text that the part matches.
    pub(super) fn shortest(&self) -> usize {
        let captures = match self {
            Self::Literal(_) => 0,
            Self::Captures(part) => part.between.len() + 1,
        };
        self.literal_length() + captures
    }
}

impl PartCaptures {
    /// The number of the capture, if the part is one capture without literal text.
    pub(super) fn only_capture(&self) -> Option<usize> {
        let alone = self.before.is_empty() && self.between.is_empty() && self.after.is_empty();
        alone.then_some(self.first)
    }

    /// The text between the literals at both ends, if those match.
    fn without_ends<'u>(&self, text: &'u str) -> Option<&'u str> {
        // Most captures have no text around them, and even comparing empty texts takes time.
        if self.before.is_empty() && self.after.is_empty() {
            return Some(text);
        }
        text.strip_prefix(&*self.before)?.strip_suffix(&*self.after)
    }

    /// Each capture is as short as possible. That finds a match if there is one: the next capture can match what an
    /// earlier one leaves.
    fn matches<'u>(&self, text: &'u str, alphabet: Alphabet, captures: &mut Captures<'u>) -> bool {
        let Some(mut rest) = self.without_ends(text) else {
            return false;
        };
        let mut number = self.first;
        for literal in &self.between {
            let Some((capture, after)) = split_after_one(rest, literal) else {
                return false;
            };
            if !alphabet.covers(capture) {
                return false;
            }
            captures.set(number, capture);
            number += 1;
            rest = after;
        }
        captures.set(number, rest);
        alphabet.covers(rest)
    }
}

/// Splits at the first occurrence of `literal` that leaves at least one character in front.
fn split_after_one<'u>(text: &'u str, literal: &str) -> Option<(&'u str, &'u str)> {
    let mut windows = text.as_bytes().get(1..)?.windows(literal.len());
    let at = windows.position(|window| window == literal.as_bytes())? + 1;
    Some((text.get(..at)?, text.get(at + literal.len()..)?))
}

/// The largest number of captures in one pattern.
pub(super) const MAX_CAPTURES: usize = 8;

/// The texts that the captures of one pattern matched, by the number of the capture.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Captures<'u>([&'u str; MAX_CAPTURES]);

impl<'u> Captures<'u> {
    pub(super) fn set(&mut self, number: usize, text: &'u str) {
        if let Some(slot) = self.0.get_mut(number) {
            *slot = text;
        }
    }

    /// The text of a capture; empty before it is set (a capture never matches an empty text).
    pub(super) fn get(&self, number: usize) -> &'u str {
        self.0.get(number).copied().unwrap_or_default()
    }
}
