use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::logs::LogQuery;
use crate::problem::Problem;

/// The answer to a call that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub content: Content,
    /// The version of the document that was read or written, for the header `ETag` (in quotes there).
    pub version: Option<u64>,
}

/// The body of an answer, with its media type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// `application/json`
    Json(String),
    /// `application/x-ndjson`, with the cursor of the next page; `None` on the last page.
    JsonLines {
        /// One JSON value a line.
        text: String,
        /// For the header `Link: …; rel="next"`.
        cursor: Option<String>,
    },
    /// A document of this repository, unchanged.
    Document {
        /// The document.
        text: Cow<'static, str>,
        /// Its media type.
        media_type: Cow<'static, str>,
    },
    /// `text/event-stream`: the events of a log as they come, which the logs Worker sends.
    LogStream(Box<LogQuery>),
}

impl Answer {
    /// A JSON answer.
    ///
    /// # Errors
    /// `INTERNAL` if the value cannot be serialized.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status,
            content: Content::Json(to_json(value)?),
            version: None,
        })
    }

    /// A document of this repository.
    pub(crate) const fn document(text: &'static str, media_type: &'static str) -> Self {
        Self {
            status: 200,
            content: Content::Document {
                text: Cow::Borrowed(text),
                media_type: Cow::Borrowed(media_type),
            },
            version: None,
        }
    }

    /// The same with the version of the document.
    #[must_use]
    pub const fn of_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }
}

/// The JSON text of a part of an answer.
///
/// # Errors
/// `INTERNAL` if the value cannot be serialized.
pub(super) fn to_json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|error| {
        Problem::new(Code::Internal, "The answer could not be written.", "").caused_by(&error)
    })
}
