//! The pattern of a route, and which requests Cloudflare sends by it.

use dispatcher::routing::Router;

/// Texts that replace the `*` of a pattern in an example of a host.
const NAMES: [&str; 4] = ["", "example.", "staging.", "www."];

/// A pattern as Cloudflare reads it: `*` stands for any text, at the start of the host and at the end of the path.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern<'c> {
    pub scheme: Option<&'c str>,
    /// Whether the host starts with `*`.
    pub wildcard: bool,
    /// The host without that `*`; a dot at its start remains.
    pub host: &'c str,
    /// The path without a `*` at its end.
    pub path: &'c str,
}

impl<'c> Pattern<'c> {
    /// Parses the pattern of a route to a zone.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub fn parse(text: &'c str) -> Result<Self, String> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        if scheme.is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
            return Err(format!(
                "\"{text}\" has an unknown scheme: write \"{}\"",
                intended_pattern(rest)
            ));
        }
        let Some(at) = rest.find('/') else {
            return Err(format!(
                "\"{text}\" has no path and so does not match all requests: write \"{}\"",
                intended_pattern(rest)
            ));
        };
        let (host, path) = rest.split_at(at);
        let wildcard = host.starts_with('*');
        let bare = host.strip_prefix('*').unwrap_or(host);
        if host.is_empty() || bare.contains(['*', ':', '?', '#', '@', ' ']) {
            return Err(format!(
                "\"{text}\" does not start with a host name, which may have one `*` in front and has no port: write a \
                 pattern such as \"agents.do/*\""
            ));
        }
        if !path.ends_with('*') {
            return Err(format!(
                "\"{text}\" does not end with `*` and so matches the path {path} alone: write \"{}\"",
                intended_pattern(rest)
            ));
        }
        let path = path.strip_suffix('*').unwrap_or(path);
        if path.contains(['*', '?', '#']) {
            return Err(format!(
                "\"{text}\" has more than one `*` in its path, or a query: write \"{host}/*\""
            ));
        }
        Ok(Self {
            scheme,
            wildcard,
            host: bare,
            path,
        })
    }

    /// Whether the pattern matches a request for this host and path.
    pub fn matches(&self, host: &str, path: &str) -> bool {
        let host_matches = if self.wildcard {
            host.ends_with(self.host)
        } else {
            host == self.host
        };
        host_matches && path.starts_with(self.path)
    }

    /// Whether the pattern matches every request to the apex of the zone, with both schemes.
    pub fn covers_apex(&self, zone: &str) -> bool {
        self.scheme.is_none() && self.matches(zone, "/")
    }

    /// Whether the pattern matches every request to a host below the zone's apex, with both schemes.
    pub fn covers_hosts_below(&self, zone: &str) -> bool {
        self.scheme.is_none() && self.wildcard && self.matches(&format!(".{zone}"), "/")
    }

    /// Example URLs that the pattern matches.
    pub fn examples(&self, router: &Router) -> Vec<String> {
        let mut hosts = vec![self.host.trim_start_matches('.').to_owned()];
        if self.wildcard {
            hosts = NAMES
                .iter()
                .map(|name| match self.host.strip_prefix('.') {
                    Some(_) => format!("{}{}", name.trim_end_matches('.'), self.host),
                    None => format!("{name}{}", self.host),
                })
                .collect();
        }
        let own = hosts
            .into_iter()
            .map(|host| format!("https://{host}{}", self.path));
        let of_rules = router.rules().iter().flat_map(|rule| {
            let (host, path) = rule.pattern().split_once('/').unwrap_or((rule.pattern(), ""));
            let path = format!("/{}", path.trim_end_matches('*'));
            ["example", "staging"].map(|name| (fill(host, name), fill(&path, name)))
        });
        let of_rules = of_rules
            .filter(|(host, path)| self.matches(host, path))
            .map(|(host, path)| format!("https://{host}{path}"));
        own.chain(of_rules).collect()
    }
}

/// The pattern that was probably intended: all paths of the host.
pub fn intended_pattern(rest: &str) -> String {
    let host = rest.split('/').next().unwrap_or(rest);
    let host = host.split([':', '?', '#']).next().unwrap_or(host);
    // `agents.do*` and `agents.do.` are `agents.do`.
    format!("{}/*", host.trim_end_matches(['*', '.']))
}

/// A rule's pattern in which `name` replaces each capture except `{env}`.
fn fill(pattern: &str, name: &str) -> String {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        let (capture, next) = behind.split_once('}').unwrap_or((behind, ""));
        filled.push_str(before);
        filled.push_str(if capture == "env" { "staging" } else { name });
        rest = next;
    }
    filled + rest
}
