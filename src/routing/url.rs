use std::borrow::Cow;

use thiserror::Error;

use super::host::{Host, InvalidHost, split_port, without_user_information};

/// The parts of a URL that routing needs, exactly as they are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Url<'u> {
    /// `http` or `https`.
    scheme: &'u str,
    /// User information, host and port.
    authority: &'u str,
    pub(super) host: Host<'u>,
    /// Path, query and fragment.
    pub(super) target: &'u str,
}

/// Why a text is not the URL of a request that a rule can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidUrl {
    /// The scheme is neither `https` nor `http`.
    #[error("the URL does not begin with https:// or http://")]
    NotHttp,
    /// The host is not a domain name.
    #[error("{0}")]
    Host(InvalidHost),
}

impl<'u> Url<'u> {
    pub(super) fn parse(text: &'u str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = split_scheme(text).ok_or(InvalidUrl::NotHttp)?;
        Self::after_scheme(scheme, rest).map_err(InvalidUrl::Host)
    }

    /// Parses what follows `scheme://`.
    fn after_scheme(scheme: &'u str, rest: &'u str) -> Result<Self, InvalidHost> {
        let end = rest
            .bytes()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or(InvalidHost::Character)?;
        let host = Host::parse(authority)?;
        Ok(Self {
            scheme,
            authority,
            host,
            target,
        })
    }

    /// Path, query and fragment of the URL that a `Location` leads to, exactly as they are written; they end the value.
    /// `self` is the request's URL.
    ///
    /// `None` if the value is relative to the request's path, leads to another host or port, or if a URL parser may
    /// read it in another way than it looks.
    pub(super) fn same_host_target(self, location: &str) -> Option<&str> {
        // A URL parser reads a backslash as a slash, and removes tabs, line breaks and control characters at the ends.
        let is_ambiguous = |byte: u8| byte == b'\\' || byte.is_ascii_control();
        if location.bytes().any(is_ambiguous) {
            return None;
        }
        let url = if let Some(rest) = location.strip_prefix("//") {
            Url::after_scheme(self.scheme, rest).ok()?
        } else if location.starts_with('/') {
            return Some(location);
        } else {
            Url::parse(location).ok()?
        };
        // User information is rare in a redirect, and most often a disguise of the host.
        let is_same_host =
            !url.authority.contains('@') && url.host.is_same(self.host) && url.port() == self.port();
        let start = location.len() - url.target.len();
        location.get(start..).filter(|_| is_same_host)
    }

    /// The port, unless it is the scheme's default.
    fn port(self) -> Option<u16> {
        let (_, port) = split_port(without_user_information(self.authority)).ok()?;
        let default = if self.scheme.eq_ignore_ascii_case("https") {
            443
        } else {
            80
        };
        port.filter(|&port| port != default)
    }

    pub(super) fn path(self) -> Path<'u> {
        Path::new(self.target)
    }

    /// Splits the target behind its first `segments` segments, none of which is empty. The prefix has no trailing
    /// slash; the rest begins with `/`, `?` or `#`, or is empty.
    pub(super) fn split_target(self, segments: usize) -> (&'u str, &'u str) {
        let mut length = 0;
        let mut path = self.path();
        for _ in 0..segments {
            let Some((segment, behind)) = path.next() else {
                break;
            };
            length += 1 + segment.len();
            path = behind;
        }
        self.target.split_at_checked(length).unwrap_or((self.target, ""))
    }

    /// The URL with another path, query and fragment. An empty path becomes `/`. User information is removed, because
    /// the constructor of `Request` rejects it.
    pub(super) fn with_target(self, target: &str) -> String {
        let slash = if target.starts_with('/') { "" } else { "/" };
        let authority = without_user_information(self.authority);
        [self.scheme, "://", authority, slash, target].concat()
    }
}

/// The scheme, if it is `https` or `http` in any case, and the text behind `://`.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    ["https", "http"].into_iter().find_map(|known| {
        let (scheme, rest) = text.split_at_checked(known.len())?;
        let rest = rest.strip_prefix("://")?;
        scheme.eq_ignore_ascii_case(known).then_some((scheme, rest))
    })
}

/// The text behind the authority of a URL (path, query and fragment), read segment by segment.
///
/// Segments are compared byte by byte: nothing is decoded and no `..` is resolved. The runtime normalises a URL before
/// the Worker sees it, and a second normalisation could only differ from the one that the user Worker sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'u> {
    /// The unread text, without the slash in front of it; `None` behind the last segment.
    rest: Option<&'u str>,
}

impl<'u> Path<'u> {
    /// `text` begins with `/`, `?` or `#`, or is empty. An empty path is the path `/`.
    pub(super) fn new(text: &'u str) -> Self {
        Self {
            rest: Some(text.strip_prefix('/').unwrap_or(text)),
        }
    }

    /// The next segment, which may be empty, and the path behind it; `None` behind the last one.
    pub(super) fn next(self) -> Option<(&'u str, Self)> {
        let rest = self.rest?;
        let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let (segment, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        Some((
            segment,
            Self {
                rest: behind.strip_prefix('/'),
            },
        ))
    }
}

/// Path, query and fragment without the segments `.` and `..`, which a client resolves before it sends a request.
pub(super) fn without_dot_segments(target: &str) -> Cow<'_, str> {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let (path, rest) = target.split_at_checked(end).unwrap_or((target, ""));
    if !path.split('/').any(is_dot_segment) {
        return Cow::Borrowed(target);
    }
    let mut segments = Vec::new();
    let mut last_is_dots = false;
    for segment in path.split('/').skip(1) {
        last_is_dots = is_dot_segment(segment);
        if !last_is_dots {
            segments.push(segment);
        } else if is_double_dot_segment(segment) {
            segments.pop();
        }
    }
    if last_is_dots {
        segments.push("");
    }
    Cow::Owned(["/", &segments.join("/"), rest].concat())
}

/// `.` and `..`, also with a percent-encoded dot (URL standard, "single-dot" and "double-dot URL path segment").
pub(super) fn is_dot_segment(segment: &str) -> bool {
    segment == "." || segment.eq_ignore_ascii_case("%2e") || is_double_dot_segment(segment)
}

fn is_double_dot_segment(segment: &str) -> bool {
    // Listed, not decoded: decoding would add a kilobyte of code to the Worker.
    ["..", ".%2e", "%2e.", "%2e%2e"]
        .iter()
        .any(|dots| segment.eq_ignore_ascii_case(dots))
}
