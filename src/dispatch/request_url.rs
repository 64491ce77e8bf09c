//! Parts of a request's URL, for responses and the log. [`routing`](crate::routing) parses URLs itself.

/// The host with its port, as it arrived; empty if there is none.
#[must_use]
pub fn host(url: &str) -> &str {
    split(url).0
}

/// The path, without query and fragment; empty if there is none.
#[must_use]
pub fn path(url: &str) -> &str {
    let target = split(url).1;
    target.split(['?', '#']).next().unwrap_or(target)
}

fn split(url: &str) -> (&str, &str) {
    let after_scheme = url.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//"));
    let rest = after_scheme.unwrap_or_default();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths() {
        for (url, expected) in [
            ("https://agents.do/", ("agents.do", "/")),
            (
                "http://agents.localhost:8787/a/b?c#d",
                ("agents.localhost:8787", "/a/b"),
            ),
            ("https://agents.do", ("agents.do", "")),
            ("https://agents.do?/x", ("agents.do", "")),
            ("https://agents.do/#/x", ("agents.do", "/")),
            ("nonsense", ("", "")),
            ("", ("", "")),
        ] {
            assert_eq!((host(url), path(url)), expected, "{url}");
        }
    }
}
