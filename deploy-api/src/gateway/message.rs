use thiserror::Error;

use super::Envelope;
use crate::code::Code;
use crate::problem::Problem;

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

impl<B: Body> Request<'_, B> {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads a body, and says how much is read.
pub(super) async fn read_body(body: impl Body, limit: usize) -> Result<Vec<u8>, Problem> {
    body.read(limit).await.map_err(|failure| match failure {
        BodyFailure::TooLarge => Problem::new(
            Code::UploadTooLarge,
            format!(
                "The body of the request has more than {} MiB, the most that is read.",
                limit / (1024 * 1024)
            ),
            "Leave out what the Worker does not need, its source maps first, or split it into several Workers.",
        ),
        BodyFailure::Interrupted => Problem::new(
            Code::UploadMalformed,
            "The body of the request broke off in the middle.",
            "Try again.",
        ),
    })
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
    /// What failed, as the client was told it. For the log, only its code and its
    /// [`cause`](crate::problem::Problem::cause) are of use: what the upstream said may quote the upload.
    pub problem: Option<Problem>,
}

impl Response {
    pub(super) fn of(status: u16, envelope: &Envelope) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            // An envelope is made of JSON values, which can always be written.
            body: serde_json::to_string(envelope).unwrap_or_default(),
            problem: None,
        }
    }

    pub(super) fn failure(problem: Problem) -> Self {
        let mut response = Self::of(problem.code.status(), &Envelope::failure(&problem));
        if let Some(seconds) = problem.retry_after {
            response.headers.push(("retry-after", seconds.to_string()));
        }
        response.problem = Some(problem);
        response
    }
}
