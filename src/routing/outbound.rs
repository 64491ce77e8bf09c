use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

use super::invalid_options::InvalidOptions;
use crate::json::{Kind, Members};

/// Parameters for the outbound Worker of a dispatch namespace: the text of a JSON object, whose keys the binding must
/// declare (`outbound.parameters` in `wrangler.jsonc`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound(Box<str>);

impl Outbound {
    /// Takes `"outbound": {…}`, if it is there.
    pub(super) fn take(members: &mut Members<'_>) -> Result<Option<Self>, InvalidOptions> {
        match members.take("outbound")? {
            None => Ok(None),
            Some(value) if matches!(value.kind, Kind::Object(_)) => Ok(Some(Self(value.text.into()))),
            Some(_) => Err(InvalidOptions::OutboundNoObject),
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
