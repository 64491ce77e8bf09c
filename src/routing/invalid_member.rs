use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

/// The deepest nesting of objects and arrays within one member: the limit of `serde_json`, which a
/// [`RawValue`](serde_json::value::RawValue) does not have.
pub(super) const MAX_DEPTH: usize = 128;

/// One wrong member of a JSON object. Its text begins with the member's path:
/// ``limits.cpuMs: unknown member; did you mean `cpu_ms`?``.
#[derive(Debug)]
pub struct InvalidMember {
    /// The keys from the outermost object to the member (`limits.cpu_ms`, `outbound.tenants[2].id`); empty for the
    /// outermost value itself.
    pub(super) path: String,
    pub(super) mistake: Mistake,
}

/// Every wrong member of a JSON object; at least one.
#[derive(Debug)]
pub struct InvalidMembers(pub(super) Vec<InvalidMember>);

/// What is wrong with a member.
#[derive(Debug, Error)]
pub(super) enum Mistake {
    #[error("expected {expected}, found {found}")]
    Value {
        expected: Cow<'static, str>,
        found: String,
    },
    #[error("required, but missing")]
    Missing,
    #[error("unknown member; did you mean `{0}`?")]
    Misspelt(&'static str),
    #[error("unknown member; the known members are {0}")]
    Unknown(String),
    #[error("given more than once")]
    Duplicate,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

impl InvalidMember {
    pub(super) fn value(path: String, expected: impl Into<Cow<'static, str>>, found: String) -> Self {
        let expected = expected.into();
        Self {
            path,
            mistake: Mistake::Value { expected, found },
        }
    }
}

impl fmt::Display for InvalidMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.mistake.fmt(f)
    }
}

impl std::error::Error for InvalidMember {}

impl InvalidMembers {
    /// Each wrong member.
    pub fn iter(&self) -> impl Iterator<Item = &InvalidMember> {
        self.0.iter()
    }
}

impl fmt::Display for InvalidMembers {
    /// Every member, with `; ` between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, member) in self.iter().enumerate() {
            let separator = if number > 0 { "; " } else { "" };
            write!(f, "{separator}{member}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidMembers {}
