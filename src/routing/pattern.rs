use super::host::last_label;
use super::url::Path;

/// The name of the capture that chooses the environment.
pub(super) const ENV: &str = "env";
/// The name of the capture that is a Worker's name.
pub(super) const WORKER: &str = "worker";

/// A parsed pattern, `host[/path]`.
#[derive(Debug)]
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

impl Pattern {
    /// How many characters are written out, not captured: the more there are, the more the pattern says of a request.
    pub(super) fn literal_length(&self) -> usize {
        let parts = self.labels.iter().chain(&self.segments);
        parts.map(Part::literal_length).sum()
    }

    /// Whether a host that the pattern matches can name an environment elsewhere than in a literal label (which is checked
    /// when the rule is loaded), `{env}` or `{worker}` (which takes no environment's label).
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

    /// Whether host and path match, before anything is asked of the captured texts.
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

    /// A host and a path that stand for everything that the pattern matches: another pattern matches them (with
    /// [`Alphabet::Sample`]) exactly if it matches everything that this one does.
    pub(super) fn sample(&self) -> (String, String) {
        let mut host = String::new();
        for part in self.labels.iter().rev() {
            if !host.is_empty() {
                host.push('.');
            }
            self.push_sample(&mut host, part);
        }
        let mut path = String::new();
        for part in &self.segments {
            path.push('/');
            self.push_sample(&mut path, part);
        }
        if self.open {
            path.push('/');
            path.push_str(ANY_PATH);
        }
        (host, path)
    }

    fn push_sample(&self, sample: &mut String, part: &Part) {
        let part = match part {
            Part::Literal(literal) => return sample.push_str(literal),
            Part::Captures(part) => part,
        };
        sample.push_str(&part.before);
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

/// What a capture may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// A request's label or segment: `[a-z0-9-]`.
    Request,
    /// The sample of a pattern (see [`Pattern::sample`](super::pattern::Pattern::sample)): its stand-ins as well.
    Sample,
}

/// Stands for a capture in the sample of a pattern. No request's host and no literal holds it.
pub(super) const ANY_TEXT: &str = "\0";
/// Stands for `{env}` in the sample of a pattern.
pub(super) const ANY_ENVIRONMENT: &str = "\u{1}";
/// Stands for the rest of a path in the sample of a pattern. No capture takes it.
pub(super) const ANY_PATH: &str = "\u{2}";

impl Alphabet {
    fn covers(self, text: &str) -> bool {
        let stand_ins = match self {
            Self::Request => 0,
            Self::Sample => 2,
        };
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') || byte < stand_ins)
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

    /// The length in bytes of what is written out, not captured.
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
    /// The number of the capture, if there is one and nothing else.
    pub(super) fn only_capture(&self) -> Option<usize> {
        let alone = self.before.is_empty() && self.between.is_empty() && self.after.is_empty();
        alone.then_some(self.first)
    }

    /// What stands between the texts at both ends.
    fn without_ends<'u>(&self, text: &'u str) -> Option<&'u str> {
        // Most captures stand alone, and even comparing nothing has a price.
        if self.before.is_empty() && self.after.is_empty() {
            return Some(text);
        }
        text.strip_prefix(&*self.before)?.strip_suffix(&*self.after)
    }

    /// Each capture takes as little as it can. That finds a match wherever there is one: whatever an earlier capture
    /// leaves, the next can take.
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

/// The most captures that one pattern holds.
pub(super) const MAX_CAPTURES: usize = 8;

/// What the captures of one pattern took from a request, by the number of the capture in the pattern.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Captures<'u>([&'u str; MAX_CAPTURES]);

impl<'u> Captures<'u> {
    pub(super) fn set(&mut self, number: usize, text: &'u str) {
        if let Some(slot) = self.0.get_mut(number) {
            *slot = text;
        }
    }

    /// The text of a capture; empty, which no capture takes, before it is set.
    pub(super) fn get(&self, number: usize) -> &'u str {
        self.0.get(number).copied().unwrap_or_default()
    }
}
