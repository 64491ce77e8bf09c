use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest message or tag of an upload, in bytes.
pub const MAX_ANNOTATION: usize = 1024;

/// What the developer wrote about an upload: `wrangler deploy --message … --tag …`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Annotations {
    /// The message, at most 1024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The tag, such as a version number, at most 1024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Annotations {
    /// Whether there is neither a message nor a tag.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.message.is_none() && self.tag.is_none()
    }
}
