use std::borrow::Cow;

use dotdo_names::WorkerName;

use super::captures::Captures;
use super::pattern::{ENV, Pattern};
use super::problem::Problem;

/// How a rule's target makes the Worker's name.
#[derive(Clone, Debug)]
pub(super) enum Template {
    /// The same Worker always.
    Fixed(WorkerName),
    /// What one capture took.
    Capture(usize),
    /// Captures and text between them.
    Composed(Box<[Piece]>),
}

/// A piece of a [`Template::Composed`].
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Literal(Box<str>),
    Capture(usize),
}

impl Template {
    pub(super) fn parse<'t>(text: &'t str, pattern: &Pattern) -> Result<Self, Problem<'t>> {
        let pieces = pieces(text, pattern)?;
        match pieces.as_slice() {
            [Piece::Capture(number)] => Ok(Self::Capture(*number)),
            [] | [Piece::Literal(_)] => WorkerName::parse(text)
                .map(Self::Fixed)
                .map_err(|reason| Problem::WorkerInvalid { worker: text, reason }),
            _ => {
                check_literals(text, &pieces)?;
                Ok(Self::Composed(pieces.into()))
            }
        }
    }

    /// Whether the template uses the capture with that number.
    pub(super) fn uses(&self, number: usize) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Capture(used) => *used == number,
            Self::Composed(pieces) => pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Capture(used) if *used == number)),
        }
    }

    /// Whether every name that it makes is valid, provided that what the capture with number `checked` took is.
    pub(super) fn is_checked(&self, checked: Option<usize>) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Capture(number) => Some(*number) == checked,
            Self::Composed(_) => false,
        }
    }

    /// The Worker's name for these captures, not yet checked.
    pub(super) fn render<'a>(&'a self, captures: &Captures<'a>) -> Cow<'a, str> {
        match self {
            Self::Fixed(name) => Cow::Borrowed(name.as_str()),
            Self::Capture(number) => Cow::Borrowed(captures.get(*number)),
            Self::Composed(pieces) => Cow::Owned(compose(pieces, |number| captures.get(number))),
        }
    }
}

fn compose<'a>(pieces: &'a [Piece], capture: impl Fn(usize) -> &'a str) -> String {
    let text = |piece: &'a Piece| match piece {
        Piece::Literal(literal) => &**literal,
        Piece::Capture(number) => capture(*number),
    };
    let mut name = String::with_capacity(pieces.iter().map(|piece| text(piece).len()).sum());
    for piece in pieces {
        name.push_str(text(piece));
    }
    name
}

fn pieces<'t>(text: &'t str, pattern: &Pattern) -> Result<Vec<Piece>, Problem<'t>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, behind)) = rest.split_once('{') {
        let (name, next) = behind.split_once('}').ok_or(Problem::BraceOpen { text })?;
        if name == ENV {
            return Err(Problem::EnvInWorker);
        }
        let number = pattern.capture(name).ok_or(Problem::CaptureMissing { name })?;
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        pieces.push(Piece::Capture(number));
        rest = next;
    }
    if rest.bytes().any(|byte| byte == b'}') {
        return Err(Problem::BraceClose { text });
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.into()));
    }
    Ok(pieces)
}

/// Refuses a template whose own text makes every name invalid: it is tried with captures as short as can be, of a
/// digit, which no reserved name has.
fn check_literals<'t>(text: &'t str, pieces: &[Piece]) -> Result<(), Problem<'t>> {
    WorkerName::check(&compose(pieces, |_| "0"))
        .map_err(|reason| Problem::WorkerInvalid { worker: text, reason })
}
