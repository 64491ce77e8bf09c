use std::borrow::Cow;

use dotdo_names::Environment;
use thiserror::Error;

/// The longest host label, in characters (RFC 1035, section 2.3.4).
pub(super) const MAX_LABEL: usize = 63;
/// The longest host without a trailing dot, in characters (RFC 1035, section 2.3.4, less the length octets).
pub(super) const MAX_HOST: usize = 253;

/// The host of a request: a domain name, without user information, port and one trailing dot.
///
/// The runtime sends hosts in lower case and in punycode, but a [`Host`] does not rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'u> {
    text: &'u str,
    has_upper_case: bool,
}

/// Why a text is no [`Host`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidHost {
    /// Nothing stands where the host should.
    #[error("the URL has no host")]
    Empty,
    /// An IPv4 or IPv6 address.
    #[error("the host is an IP address; Workers are reached by name")]
    Address,
    /// Two dots in a row, a dot in front, or more than one behind.
    #[error("the host has an empty label")]
    LabelEmpty,
    /// A label does not fit the DNS.
    #[error("a label of the host has more than 63 characters")]
    LabelTooLong,
    /// The whole does not fit the DNS.
    #[error("the host has more than 253 characters")]
    TooLong,
    /// A character that no host in punycode has.
    #[error(
        "the host has a character other than a-z, 0-9, '-' and '_' (international names arrive in punycode)"
    )]
    Character,
    /// What follows the last colon.
    #[error("the port is not a number from 0 to 65535")]
    Port,
}

impl<'u> Host<'u> {
    /// Takes `[userinfo@]host[:port]`.
    ///
    /// # Errors
    /// The first rule that the host breaks.
    pub fn parse(authority: &'u str) -> Result<Self, InvalidHost> {
        // Almost every authority is a host and nothing else, which one look at each byte tells.
        if let Ok(host) = Self::check(authority) {
            return Ok(host);
        }
        // The URL standard ends the authority of http and https at a backslash too. No runtime passes one on; were one
        // to arrive, what stands behind it must not choose the host.
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

    /// Takes a host with at most a trailing dot.
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

    /// The host in lower case; borrowed where it already was.
    #[must_use]
    pub fn normalized(self) -> Cow<'u, str> {
        match self.as_lower_case() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.text.to_ascii_lowercase()),
        }
    }

    /// The host, if it is in lower case as it stands.
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

/// Everything behind the last `@`, as the URL standard has it.
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

/// Whether a last label makes the host an IPv4 address (URL standard, "ends in a number").
pub(super) fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The last label of a host, and the labels in front of it, if there are any.
///
/// Hosts are short: a look at each byte finds the dot sooner than a search that is made for long texts.
pub(super) fn last_label(host: &str) -> (&str, Option<&str>) {
    let dot = host.bytes().rposition(|byte| byte == b'.');
    match dot.and_then(|dot| Some((host.get(dot + 1..)?, host.get(..dot)?))) {
        Some((label, rest)) => (label, Some(rest)),
        None => (host, None),
    }
}

/// The environment that a host's labels name: a label, or a part of one between `--`, that is an environment's host
/// label. The last label is none: `.dev` is a top-level domain. `Err` gives a text that names another one than
/// `environment`.
///
/// `text` is a host, or the host of a pattern, whose captures in braces name nothing.
pub(super) fn names_only(text: &str, environment: Option<Environment>) -> Result<(), &str> {
    let (_, mut rest) = last_label(text);
    while let Some(labels) = rest {
        let (label, others) = last_label(labels);
        label_names_only(label, environment)?;
        rest = others;
    }
    Ok(())
}

fn label_names_only(label: &str, environment: Option<Environment>) -> Result<(), &str> {
    let mut rest = label;
    loop {
        let hyphens = rest.as_bytes().windows(2).position(|pair| pair == b"--");
        let (part, behind) = rest
            .split_at_checked(hyphens.unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        let part = without_hyphens(part);
        let named = Environment::from_host_label(part);
        if named.is_some() && named != environment {
            return Err(part);
        }
        match behind.get(2..) {
            Some(behind) => rest = behind,
            None => return Ok(()),
        }
    }
}

fn without_hyphens(mut text: &str) -> &str {
    while let Some(rest) = text.strip_prefix('-').or_else(|| text.strip_suffix('-')) {
        text = rest;
    }
    text
}
