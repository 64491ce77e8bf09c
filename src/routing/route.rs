use std::borrow::Cow;

use dotdo_names::Environment;

use super::rule::Rule;
use super::url::{Url, without_dot_segments};

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct Route<'a> {
    pub(super) rule: &'a Rule,
    pub(super) environment: Environment,
    pub(super) worker: Cow<'a, str>,
    pub(super) stripped: Option<StrippedPrefix<'a>>,
}

/// The prefix that a rule strips from the path before the Worker sees it.
#[derive(Clone, Copy, Debug)]
pub struct StrippedPrefix<'a> {
    url: Url<'a>,
    prefix: &'a str,
    rest: &'a str,
}

impl<'a> Route<'a> {
    /// The environment, and with it the namespace and the binding.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// The Worker: a valid [`WorkerName`](dotdo_names::WorkerName). It is borrowed from the URL or the rule, unless the
    /// rule composes the name or the host is in upper case.
    #[must_use]
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// The rule that decided, with its limits and outbound parameters.
    #[must_use]
    pub fn rule(&self) -> &'a Rule {
        self.rule
    }

    /// The prefix that is stripped from the path, if the rule strips one.
    #[must_use]
    pub fn stripped(&self) -> Option<StrippedPrefix<'a>> {
        self.stripped
    }
}

impl<'a> StrippedPrefix<'a> {
    pub(super) fn new(url: Url<'a>, segments: usize) -> Self {
        let (prefix, rest) = url.split_target(segments);
        Self { url, prefix, rest }
    }

    /// The prefix that was stripped from a URL, as [`prefix`](Self::prefix) returned it. None if the URL's path does not begin
    /// with it.
    #[must_use]
    pub fn of(url: &'a str, prefix: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let (prefix, rest) = url
            .target
            .split_at_checked(prefix.len())
            .filter(|(start, _)| *start == prefix)?;
        Some(Self { url, prefix, rest })
    }

    /// The prefix, for `X-Forwarded-Prefix`. It begins with a slash and does not end with one.
    #[must_use]
    pub fn prefix(&self) -> &'a str {
        self.prefix
    }

    /// The URL without the prefix, in one allocation. Scheme, host and port do not change, whatever the path contains.
    /// User information is removed, because the constructor of `Request` rejects it.
    #[must_use]
    pub fn rewritten_url(&self) -> String {
        self.url.with_target(self.rest)
    }

    /// Path, query and fragment of [`rewritten_url`](Self::rewritten_url).
    #[must_use]
    pub fn rewritten_path(&self) -> Cow<'a, str> {
        if self.rest.starts_with('/') {
            Cow::Borrowed(self.rest)
        } else {
            Cow::Owned(["/", self.rest].concat())
        }
    }

    /// The value of the header `Location` that a client must get, when the Worker answered with `location`; `None` if
    /// it must stay as it is.
    ///
    /// The Worker does not see the prefix, so its redirect to `/about` lacks it. The prefix is put in front of an
    /// absolute path and of the path of a URL with the request's host and port, with `http` or `https`. Unchanged are:
    /// values that begin with the prefix already, relative values (`about`, `?page=2`), other hosts, ports and schemes,
    /// and every value that a URL parser may read in another way than it looks (one with a backslash or a control
    /// character, or an empty host).
    ///
    /// ```
    /// # use dispatcher::routing::{Localhost, Router};
    /// let router = Router::builtin(Localhost::Unserved);
    /// let route = router.route("https://apis.do/agents/home").unwrap();
    /// let stripped = route.stripped().unwrap();
    ///
    /// assert_eq!(stripped.restore_location("/about?x#y").as_deref(), Some("/agents/about?x#y"));
    /// assert_eq!(stripped.restore_location("https://apis.do").as_deref(), Some("https://apis.do/agents"));
    /// assert_eq!(stripped.restore_location("/agents/about"), None);
    /// assert_eq!(stripped.restore_location("https://example.com/about"), None);
    /// ```
    #[must_use]
    pub fn restore_location(&self, location: &str) -> Option<String> {
        let target = self.url.same_host_target(location)?;
        let before = location.strip_suffix(target)?;
        let target = without_dot_segments(target);
        let has_prefix = target
            .strip_prefix(self.prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
        if has_prefix {
            return None;
        }
        Some([before, self.prefix, &target].concat())
    }
}
