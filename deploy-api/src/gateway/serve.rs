use thiserror::Error;

use super::Envelope;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;

/// A request to `/client/v4`, as it came.
#[derive(Debug)]
pub struct Request<'a, B: Body> {
    /// The method of the request line.
    pub method: &'a str,
    /// The URL's path as it was sent, still encoded.
    pub path: &'a str,
    /// The URL's query as it was sent, without the question mark; empty for none.
    pub query: &'a str,
    /// The headers; their names in any case.
    pub headers: &'a [(String, String)],
    /// The body, which is read only once the caller is known and may send one.
    pub body: B,
}

/// The body of a request, not read yet.
pub trait Body {
    /// Reads the whole body.
    ///
    /// # Errors
    /// [`BodyFailure::TooLarge`] as soon as more than `limit` bytes came (or are announced), without reading on;
    /// [`BodyFailure::Interrupted`] when the client stops in the middle.
    fn read(self, limit: usize) -> impl Future<Output = Result<Vec<u8>, BodyFailure>>;
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BodyFailure {
    /// It has more bytes than are read.
    #[error("the body is too large")]
    TooLarge,
    /// It ended before its end.
    #[error("the body was cut off")]
    Interrupted,
}

/// The answer to a request to `/client/v4`: always Cloudflare's envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, `Content-Type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// What failed, for the log: what the client was told, and what it was not.
    pub problem: Option<Problem>,
}

/// Serves one call of wrangler, from its credential to its answer. Never fails: a problem is an answer too.
pub async fn serve<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    request: Request<'_, B>,
) -> Response {
    let _ = (engine, request.body.read(0).await);
    let problem = Problem::new(Code::CallUnknown, "This call is not served yet.", "");
    Response {
        status: problem.code.status(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: serde_json::to_string(&Envelope::failure(&problem)).unwrap_or_default(),
        problem: Some(problem),
    }
}
