use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

use super::problem::Problem;
use crate::json::{Kind, Value};

/// Parameters for the outbound Worker of a dispatch namespace: the text of a JSON object, whose keys the binding must
/// declare (`outbound.parameters` in `wrangler.jsonc`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound(Box<str>);

impl Outbound {
    /// Refuses everything but an object.
    pub(super) fn read(value: &Value<'_>) -> Result<Self, Problem> {
        match value.kind {
            Kind::Object(_) => Ok(Self(value.text.into())),
            _ => Err(Problem::OutboundNoObject),
        }
    }

    /// The object's JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Serialize for Outbound {
    /// The object itself; only where JSON is written.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        json.serialize(serializer)
    }
}
