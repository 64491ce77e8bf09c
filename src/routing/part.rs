use super::captures::Captures;

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
