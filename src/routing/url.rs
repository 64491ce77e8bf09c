use super::host::{Host, InvalidHost, without_user_information};
use super::path::Path;
use super::refusal::Reason;

/// The parts of a request's URL that a decision needs, as they arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Url<'u> {
    /// `http` or `https`.
    scheme: &'u str,
    /// As it arrived: user information, host and port.
    authority: &'u str,
    pub(super) host: Host<'u>,
    /// Path, query and fragment.
    pub(super) target: &'u str,
}

impl<'u> Url<'u> {
    pub(super) fn parse(text: &'u str) -> Result<Self, Reason<'u>> {
        let (scheme, rest) = split_scheme(text).ok_or(Reason::NotHttp)?;
        let end = rest
            .bytes()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        let (authority, target) = rest
            .split_at_checked(end)
            .ok_or(Reason::Host(InvalidHost::Character))?;
        let host = Host::parse(authority).map_err(Reason::Host)?;
        Ok(Self {
            scheme,
            authority,
            host,
            target,
        })
    }

    pub(super) fn path(self) -> Path<'u> {
        Path::new(self.target)
    }

    /// Splits the target behind its first `segments` segments, none of which is empty: the prefix, without a slash
    /// behind it, and the rest, which begins with `/`, `?` or `#` or is empty.
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

    /// The same URL with another path, query and fragment. An empty path becomes `/`; user information is left out,
    /// because no `Request` may be made with it.
    pub(super) fn with_target(self, target: &str) -> String {
        let slash = if target.starts_with('/') { "" } else { "/" };
        let authority = without_user_information(self.authority);
        [self.scheme, "://", authority, slash, target].concat()
    }
}

/// The scheme, if it is `https` or `http` in any case, and what follows `://`.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    ["https", "http"].into_iter().find_map(|known| {
        let (scheme, rest) = text.split_at_checked(known.len())?;
        let rest = rest.strip_prefix("://")?;
        scheme.eq_ignore_ascii_case(known).then_some((scheme, rest))
    })
}
