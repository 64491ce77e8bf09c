//! What a rule does with a request that it matches: the Worker's name, the environment, limits and outbound parameters.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use dotdo_names::{Environment, WorkerName};
use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

use super::members::ObjectReader;
use super::pattern::{Captures, ENV, Pattern};
use super::problem::Problem;

/// Composes the Worker's name from a rule's target and its captures.
#[derive(Clone, Debug)]
pub(super) enum Template {
    /// Always the same Worker.
    Fixed(WorkerName),
    /// The text of one capture.
    Capture(usize),
    /// Captures and literal text.
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

    /// Whether every name is valid, provided that the text of the capture with number `checked` is a valid name.
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

/// Rejects a template whose literal text makes every name invalid. It is checked with the shortest captures, a digit
/// each, which no reserved name contains.
fn check_literals<'t>(text: &'t str, pieces: &[Piece]) -> Result<(), Problem<'t>> {
    WorkerName::check(&compose(pieces, |_| "0"))
        .map_err(|reason| Problem::WorkerInvalid { worker: text, reason })
}

/// The environment of a rule's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetEnvironment {
    /// The text of the capture `{env}`, which has that number.
    Captured(usize),
    Fixed(Environment),
}

impl TargetEnvironment {
    pub(super) fn parse<'t>(text: &'t str, pattern: &Pattern) -> Result<Self, Problem<'t>> {
        if text == "{env}" {
            let missing = || Problem::CaptureMissing { name: ENV };
            return pattern.capture(ENV).map(Self::Captured).ok_or_else(missing);
        }
        let unknown = || Problem::EnvironmentUnknown { text };
        Environment::from_name(text).map(Self::Fixed).ok_or_else(unknown)
    }

    pub(super) fn fixed(self) -> Option<Environment> {
        match self {
            Self::Captured(_) => None,
            Self::Fixed(environment) => Some(environment),
        }
    }
}

/// What one request may use in a user Worker, instead of the account's own limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// CPU time in milliseconds, from 1 to 300,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u32>,
    /// Subrequests, from 1 to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subrequests: Option<u32>,
}

impl Limits {
    /// A Worker's CPU time in milliseconds: at most five minutes, as on the paid plan
    /// (<https://developers.cloudflare.com/workers/platform/limits/>).
    pub const CPU_MS: RangeInclusive<u32> = 1..=300_000;
    /// A Worker's subrequests: at most those of the paid plan (the same page).
    pub const SUBREQUESTS: RangeInclusive<u32> = 1..=10_000;

    /// Reads `"limits": {"cpu_ms": …, "subrequests": …}`; at least one of them must be there.
    pub(super) fn read(parent: &mut ObjectReader<'_>) -> Option<Self> {
        let limits = parent.object("limits", |limits| Self {
            cpu_ms: limits.number("cpu_ms", &Self::CPU_MS),
            subrequests: limits.number("subrequests", &Self::SUBREQUESTS),
        })?;
        if limits == Self::default() {
            parent.reject("limits", "`cpu_ms`, `subrequests` or both", "an empty object");
        }
        Some(limits)
    }
}

/// Parameters for the outbound Worker of a dispatch namespace: the text of a JSON object, whose keys the binding must
/// declare (`outbound.parameters` in `wrangler.jsonc`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound(Box<str>);

impl Outbound {
    /// Reads `"outbound": {…}`.
    pub(super) fn read(parent: &mut ObjectReader<'_>) -> Option<Self> {
        parent.raw_object("outbound").map(|json| Self(json.into()))
    }

    /// The object's JSON text, exactly as it was written: the order of keys and the digits of numbers are kept.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Serialize for Outbound {
    /// Writes the object itself. Only a serializer of JSON can do that.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        json.serialize(serializer)
    }
}
