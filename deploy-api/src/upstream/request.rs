use std::fmt::Write;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::UpstreamBody;

/// The methods of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method in the request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Why a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// For a change of a Worker. A part of the calls that Cloudflare allows is reserved for these.
    Change,
    /// For information that a client requested.
    Information,
}

/// The credential of a call.
#[derive(Clone, Debug)]
pub enum Bearer {
    /// The account's API token, which only the implementation of [`Upstream`](super::Upstream) knows.
    Account,
    /// The JWT of an asset upload session that was issued through this API.
    AssetSession(SecretString),
}

/// One call to the Cloudflare API.
#[derive(Clone, Debug)]
pub struct UpstreamRequest {
    /// The method.
    pub method: Method,
    /// Why it is made.
    pub purpose: Purpose,
    /// The segments of the path below `/client/v4`, not encoded.
    segments: Vec<String>,
    /// The parameters of the query, not encoded.
    query: Vec<(&'static str, String)>,
    /// The credential of the request.
    pub bearer: Bearer,
    /// The header `cf-r2-jurisdiction`, for calls about a bucket in a jurisdiction.
    pub jurisdiction: Option<String>,
    /// The header `Content-Type`, where there is a body.
    pub content_type: Option<String>,
    /// The body; empty for none. It may contain secrets: it is sent and never logged.
    pub body: UpstreamBody,
}

impl UpstreamRequest {
    /// A call without a query and a body, with the account's token.
    pub fn new<S: Into<String>>(method: Method, segments: impl IntoIterator<Item = S>) -> Self {
        Self {
            method,
            purpose: Purpose::Change,
            segments: segments.into_iter().map(Into::into).collect(),
            query: Vec::new(),
            bearer: Bearer::Account,
            jurisdiction: None,
            content_type: None,
            body: UpstreamBody::default(),
        }
    }

    /// The same with a parameter of the query.
    #[must_use]
    pub fn parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same, for information that a client requested.
    #[must_use]
    pub const fn for_information(mut self) -> Self {
        self.purpose = Purpose::Information;
        self
    }

    /// The same for an R2 bucket in a jurisdiction.
    #[must_use]
    pub fn in_jurisdiction(mut self, jurisdiction: Option<String>) -> Self {
        self.jurisdiction = jurisdiction;
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(mut self, content_type: impl Into<String>, body: impl Into<UpstreamBody>) -> Self {
        self.content_type = Some(content_type.into());
        self.body = body.into();
        self
    }

    /// The path below `/client/v4` and the query, encoded: `/accounts/…/workers/…?limit=100`.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let mut text = String::new();
        for segment in &self.segments {
            text.push('/');
            encode(segment, &mut text);
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            encode(value, &mut text);
        }
        text
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
fn encode(value: &str, text: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_built_from_its_parts_and_nothing_gets_out_of_its_segment() {
        let request = UpstreamRequest::new(Method::Get, ["accounts", "a/../b", "x?y#z"])
            .parameter("tags", "a:yes&b")
            .parameter("limit", "10");
        assert_eq!(
            request.path_and_query(),
            "/accounts/a%2F..%2Fb/x%3Fy%23z?tags=a%3Ayes%26b&limit=10"
        );
    }
}
