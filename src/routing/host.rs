use std::borrow::Cow;

use dotdo_names::Environment;
use thiserror::Error;

/// The longest host label, in characters (RFC 1035, section 2.3.4).
pub(super) const MAX_LABEL: usize = 63;
/// The longest host without a trailing dot, in characters (RFC 1035, section 2.3.4, less the length octets).
pub(super) const MAX_HOST: usize = 253;

/// The host of a request: a domain name without user information, port and trailing dot.
///
/// The runtime sends hosts in lower case and in punycode, but a [`Host`] does not rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'u> {
    text: &'u str,
    has_upper_case: bool,
}

/// Why a text is not a valid [`Host`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidHost {
    /// There is no host.
    #[error("the URL has no host")]
    Empty,
    /// An IPv4 or IPv6 address.
    #[error("the host is an IP address; Workers are reached by name")]
    Address,
    /// Two dots in a row, a leading dot, or more than one trailing dot.
    #[error("the host has an empty label")]
    LabelEmpty,
    /// A label is longer than the DNS allows.
    #[error("a label of the host has more than 63 characters")]
    LabelTooLong,
    /// The host is longer than the DNS allows.
    #[error("the host has more than 253 characters")]
    TooLong,
    /// A character that is not allowed in a host in punycode.
    #[error(
        "the host has a character other than a-z, 0-9, '-' and '_' (international names arrive in punycode)"
    )]
    Character,
    /// The port is invalid.
    #[error("the port is not a number from 0 to 65535")]
    Port,
}

impl<'u> Host<'u> {
    /// Parses `[userinfo@]host[:port]`.
    ///
    /// # Errors
    /// The first rule that the host breaks.
    pub fn parse(authority: &'u str) -> Result<Self, InvalidHost> {
        // Almost every authority is only a host, and one pass over its bytes shows that.
        if let Ok(host) = Self::check(authority) {
            return Ok(host);
        }
        // The URL standard also ends the authority of http and https at a backslash. A runtime does not pass one on; if
        // one arrives, the text behind it must not select the host.
        if authority.bytes().any(|byte| byte == b'\\') {
            return Err(InvalidHost::Character);
        }
        let (host, _) = split_port(without_user_information(authority))?;
        Self::check(host)
    }

    /// Whether both are the same host, in any case.
    pub(super) fn is_same(self, other: Host<'_>) -> bool {
        self.text.eq_ignore_ascii_case(other.text)
    }

    /// Parses a host that may have a trailing dot.
    fn check(text: &'u str) -> Result<Self, InvalidHost> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(InvalidHost::Empty);
        }
        if text.len() > MAX_HOST {
            return Err(InvalidHost::TooLong);
        }
        let mut has_upper_case = false;
        let mut label_start = 0;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => {}
                b'.' => {
                    check_label_length(at - label_start)?;
                    label_start = at + 1;
                }
                b'A'..=b'Z' => has_upper_case = true,
                _ => return Err(InvalidHost::Character),
            }
        }
        check_label_length(text.len() - label_start)?;
        if is_number(text.get(label_start..).unwrap_or_default()) {
            return Err(InvalidHost::Address);
        }
        Ok(Self { text, has_upper_case })
    }

    /// The host in lower case; borrowed if it is in lower case already.
    #[must_use]
    pub fn normalized(self) -> Cow<'u, str> {
        match self.as_lower_case() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.text.to_ascii_lowercase()),
        }
    }

    /// The host, if it is in lower case already.
    pub(super) fn as_lower_case(self) -> Option<&'u str> {
        (!self.has_upper_case).then_some(self.text)
    }

    /// The host in lower case, written into `buffer`: for a decision that must not allocate.
    pub(super) fn fold(self, buffer: &mut [u8; MAX_HOST]) -> &str {
        let bytes = buffer.get_mut(..self.text.len()).unwrap_or_default();
        bytes.copy_from_slice(self.text.as_bytes());
        bytes.make_ascii_lowercase();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

/// The text behind the last `@`, which is where the URL standard ends the user information.
pub(super) fn without_user_information(authority: &str) -> &str {
    let at = authority.bytes().rposition(|byte| byte == b'@');
    at.and_then(|at| authority.get(at + 1..)).unwrap_or(authority)
}

/// `host[:port]`. An empty port is the same as none.
pub(super) fn split_port(text: &str) -> Result<(&str, Option<u16>), InvalidHost> {
    if text.starts_with('[') {
        return Err(InvalidHost::Address);
    }
    let Some((host, port)) = text.split_once(':') else {
        return Ok((text, None));
    };
    if port.is_empty() {
        return Ok((host, None));
    }
    let number = port
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| port.parse().ok());
    match number.flatten() {
        Some(port) => Ok((host, Some(port))),
        None => Err(InvalidHost::Port),
    }
}

fn check_label_length(length: usize) -> Result<(), InvalidHost> {
    match length {
        0 => Err(InvalidHost::LabelEmpty),
        1..=MAX_LABEL => Ok(()),
        _ => Err(InvalidHost::LabelTooLong),
    }
}

/// Whether a host whose last label is `label` is an IPv4 address (URL standard, "ends in a number").
pub(super) fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The last label of a host, and the labels in front of it, if there are any.
///
/// Hosts are short, so comparing each byte is faster than a search that is optimised for long texts.
pub(super) fn last_label(host: &str) -> (&str, Option<&str>) {
    let dot = host.bytes().rposition(|byte| byte == b'.');
    match dot.and_then(|dot| Some((host.get(dot + 1..)?, host.get(..dot)?))) {
        Some((label, rest)) => (label, Some(rest)),
        None => (host, None),
    }
}

/// The first text in a host that names an environment other than `environment`.
///
/// A label names an environment if it, or a part of it between `--`, is one of the environment's host labels. The last
/// label names none: `.dev` is a top-level domain. `text` is a host, or the host of a pattern; captures in braces name
/// none.
pub(super) fn other_environment(text: &str, environment: Option<Environment>) -> Option<&str> {
    let (_, mut rest) = last_label(text);
    while let Some(labels) = rest {
        let (label, others) = last_label(labels);
        let named = other_environment_in_label(label, environment);
        if named.is_some() {
            return named;
        }
        rest = others;
    }
    None
}

fn other_environment_in_label(label: &str, environment: Option<Environment>) -> Option<&str> {
    let mut rest = label;
    loop {
        let hyphens = rest.as_bytes().windows(2).position(|pair| pair == b"--");
        let (part, behind) = rest
            .split_at_checked(hyphens.unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        let part = without_hyphens(part);
        let named = Environment::from_host_label(part);
        if named.is_some() && named != environment {
            return Some(part);
        }
        rest = behind.get(2..)?;
    }
}

fn without_hyphens(mut text: &str) -> &str {
    while let Some(rest) = text.strip_prefix('-').or_else(|| text.strip_suffix('-')) {
        text = rest;
    }
    text
}
