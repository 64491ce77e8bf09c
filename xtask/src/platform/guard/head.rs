//! The heads of requests and responses, and what follows them.

use httparse::Status;

use super::target;

/// The prefix of the runtime's own headers, in lower case.
const RUNTIME_PREFIX: &str = "mf-";

/// The longest head, in bytes. The runtime's own limit is lower.
pub const MAX_HEAD: usize = 256 * 1024;

/// The most headers of a request or a response.
const MAX_HEADERS: usize = 1000;

/// Headers that are parsed without an allocation.
const FEW_HEADERS: usize = 64;

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A body of this many bytes, which may be 0.
    Length(u64),
    /// A body with `Transfer-Encoding: chunked`.
    Chunked,
    /// Everything until the end of the connection.
    UntilEnd,
}

/// The result of parsing a head.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<Head, Failure> {
    Complete(Head),
    Partial,
    Failed(Failure),
}

/// The method of a request, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    /// The response has no body.
    Head,
    Other,
}

/// What is known of a request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// Its length with the empty line, in bytes.
    pub length: usize,
    /// The length of the request line, in bytes.
    pub line: usize,
    pub body: Body,
    pub method: Method,
    /// Whether it is a call of Cloudflare's API, whose errors have an envelope.
    pub is_api_call: bool,
    /// Whether the client wants the connection to end after the response.
    pub closes: bool,
}

/// Why a request is not relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has one of the runtime's own headers.
    RuntimeHeader,
    /// Its path is below `/cdn-cgi/`.
    ReservedPath,
    /// It is not HTTP/1, or its body has no clear end.
    Invalid,
    HeadTooLong,
}

impl Refusal {
    /// The status and the text of the response.
    pub const fn answer(self) -> (&'static str, &'static str) {
        match self {
            Self::RuntimeHeader => (
                "403 Forbidden",
                "The headers that begin with \"MF-\" belong to the runtime of the local platform. Send the request without them.\n",
            ),
            Self::ReservedPath => (
                "404 Not Found",
                "No Worker receives requests for paths below /cdn-cgi/, on Cloudflare and here. Choose another path.\n",
            ),
            Self::Invalid => (
                "400 Bad Request",
                "The local platform cannot read this request: it is not a valid HTTP/1.1 request.\n",
            ),
            Self::HeadTooLong => (
                "431 Request Header Fields Too Large",
                "The headers of this request are too long: the local platform reads at most 256 KiB.\n",
            ),
        }
    }
}

impl RequestHead {
    /// Whether it can be sent again if its connection ends without a response: it only reads, and it has no body.
    pub fn is_repeatable(&self) -> bool {
        self.method != Method::Other && self.body == Body::Length(0)
    }

    /// Parses the bytes at the start of a connection, or after the body of the request before.
    pub fn parse(bytes: &[u8]) -> Parsed<Self, Refusal> {
        let mut few = [httparse::EMPTY_HEADER; FEW_HEADERS];
        match Self::parse_with(bytes, &mut few) {
            Parsed::Failed(Refusal::HeadTooLong) => {
                Self::parse_with(bytes, &mut vec![httparse::EMPTY_HEADER; MAX_HEADERS])
            }
            parsed => parsed,
        }
    }

    fn parse_with<'b>(bytes: &'b [u8], headers: &mut [httparse::Header<'b>]) -> Parsed<Self, Refusal> {
        let mut request = httparse::Request::new(headers);
        let length = match request.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() > MAX_HEAD => return Parsed::Failed(Refusal::HeadTooLong),
            Ok(Status::Partial) => return Parsed::Partial,
            Err(httparse::Error::TooManyHeaders) => return Parsed::Failed(Refusal::HeadTooLong),
            Err(_) => return Parsed::Failed(Refusal::Invalid),
        };
        let mut hosts = Vec::new();
        let mut content_length = None;
        let mut is_chunked = false;
        let mut closes = request.version == Some(0);
        for header in request.headers.iter() {
            let name = header.name.to_ascii_lowercase();
            let value = String::from_utf8_lossy(header.value);
            let value = value.trim();
            match name.as_str() {
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") && !is_chunked => {
                    is_chunked = true;
                }
                "content-length" if content_length.is_none() => match value.parse::<u64>() {
                    Ok(length) => content_length = Some(length),
                    Err(_) => return Parsed::Failed(Refusal::Invalid),
                },
                // Two values, or another encoding: the runtime could see another end of the body.
                "transfer-encoding" | "content-length" => return Parsed::Failed(Refusal::Invalid),
                "connection" if value.eq_ignore_ascii_case("close") => closes = true,
                "host" => hosts.push(value.to_owned()),
                _ if name.starts_with(RUNTIME_PREFIX) => return Parsed::Failed(Refusal::RuntimeHeader),
                _ => {}
            }
        }
        let target = request.path.unwrap_or_default();
        if target::is_reserved(target, &hosts) {
            return Parsed::Failed(Refusal::ReservedPath);
        }
        let body = match (is_chunked, content_length) {
            (true, Some(_)) => return Parsed::Failed(Refusal::Invalid),
            (true, None) => Body::Chunked,
            (false, length) => Body::Length(length.unwrap_or(0)),
        };
        let line = bytes.iter().position(|byte| *byte == b'\n');
        Parsed::Complete(Self {
            length,
            line: line.map_or(length, |end| end + 1),
            body,
            method: match request.method {
                Some("GET") => Method::Get,
                Some("HEAD") => Method::Head,
                _ => Method::Other,
            },
            is_api_call: target.starts_with("/client/v4/"),
            closes,
        })
    }
}

/// What is known of a response's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// Its length with the empty line, in bytes.
    pub length: usize,
    pub status: u16,
    pub body: Body,
    /// Whether the server ends the connection after the response.
    pub closes: bool,
}

impl ResponseHead {
    /// Parses the bytes of a response to a request.
    pub fn parse(bytes: &[u8], request: &RequestHead) -> Parsed<Self, ()> {
        let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() <= MAX_HEAD => return Parsed::Partial,
            _ => return Parsed::Failed(()),
        };
        let status = response.code.unwrap_or(0);
        let mut body = Body::UntilEnd;
        let mut closes = false;
        for header in response.headers.iter() {
            let value = String::from_utf8_lossy(header.value);
            let value = value.trim();
            if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked")
            {
                body = Body::Chunked;
            } else if header.name.eq_ignore_ascii_case("content-length") && body == Body::UntilEnd {
                match value.parse() {
                    Ok(length) => body = Body::Length(length),
                    Err(_) => return Parsed::Failed(()),
                }
            } else if header.name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
                closes = true;
            }
        }
        if request.method == Method::Head || matches!(status, 100..=199 | 204 | 304) {
            body = Body::Length(0);
        }
        Parsed::Complete(Self {
            length,
            status,
            body,
            closes: closes || body == Body::UntilEnd,
        })
    }
}
