//! Requests and responses without the types of the runtime.

use bytes::Bytes;

use crate::code::Code;
use crate::logs::LogQuery;
use crate::problem::Problem;
use crate::upload::{Limited, Source, SourceFailure};

/// A request of a client.
#[derive(Debug)]
pub struct Request<'a, B: Source> {
    /// The method of the request line.
    pub method: &'a str,
    /// The URL's path as it was sent, still encoded.
    pub path: &'a str,
    /// The URL's query as it was sent, without the question mark; empty for none.
    pub query: &'a str,
    /// The headers; their names in any case.
    pub headers: &'a [(String, String)],
    /// The body, which is read only when the caller is known and the call has one.
    pub body: B,
}

impl<'a, B: Source> Request<'a, B> {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The length of the body, if the client announces it.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }
}

/// Refuses a request of a web page of another origin, as the browser's headers show it. No page of this API sends requests,
/// and a page may have found a token, or run on the machine of a developer who has one.
///
/// # Errors
/// `ORIGIN_REFUSED`.
pub fn check_origin<B: Source>(request: &Request<'_, B>) -> Result<(), Problem> {
    let host = request.header("host").unwrap_or_default();
    let is_own = |origin: &str| {
        let own = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        own.is_some_and(|own| own.eq_ignore_ascii_case(host))
    };
    let is_foreign = request.header("origin").is_some_and(|origin| !is_own(origin));
    let site = request.header("sec-fetch-site");
    // A link to a document of this API may be on any page.
    let is_link = request.header("sec-fetch-mode") == Some("navigate") && request.method == "GET";
    if is_foreign || (matches!(site, Some("cross-site" | "same-site")) && !is_link) {
        return Err(Problem::new(
            Code::OriginRefused,
            "A web page of another origin sent this request.",
            "Call the deploy API from a program, not from a web page.",
        ));
    }
    Ok(())
}

/// Reads a small body as a whole. Nothing is read if the client announces more than `limit` bytes.
///
/// # Errors
/// If it has more bytes, or the client disconnects.
pub async fn read_body(
    body: impl Source,
    announced: Option<u64>,
    limit: usize,
) -> Result<Vec<u8>, SourceFailure> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    if announced.is_some_and(|length| length > limit) {
        return Err(SourceFailure::TooLarge { limit });
    }
    let mut body = Limited::new(body, limit);
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A body whose bytes are in memory.
pub struct WholeBody(Option<Bytes>);

impl WholeBody {
    /// The body.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(Some(bytes.into()))
    }
}

impl Source for WholeBody {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        Ok(self.0.take())
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, `Content-Type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// The log whose events are the body, as they come.
    pub log_stream: Option<Box<LogQuery>>,
    /// The error, if there is one. Only its code and its [`cause`](Problem::cause) are logged: the upstream's text
    /// may quote the upload.
    pub problem: Option<Problem>,
}

impl Response {
    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Whether a header overrides the method of the request line. Such a request is refused, because another server
/// could apply the header.
#[must_use]
pub fn is_method_override(header: &str) -> bool {
    [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
    ]
    .iter()
    .any(|name| header.eq_ignore_ascii_case(name))
}
