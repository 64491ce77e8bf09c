use serde::Deserialize;
use serde_json::value::RawValue;

use super::problem::Problem;

/// Parameters for the outbound Worker of a dispatch namespace: the text of a JSON object, whose keys the binding must
/// declare (`outbound.parameters` in `wrangler.jsonc`).
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Outbound(Box<RawValue>);

impl Outbound {
    /// Refuses everything but an object.
    pub(super) fn check(self) -> Result<Self, Problem> {
        if self.0.get().starts_with('{') {
            Ok(self)
        } else {
            Err(Problem::OutboundNoObject)
        }
    }

    /// The object's JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Outbound {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Outbound {}
