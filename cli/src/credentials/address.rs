//! The address of a deploy API, as a person or a file writes it.

use url::Url;

use crate::failure::Failure;

/// The path below the address that wrangler uses, and this program does not.
const WRANGLER_PATH: &str = "/client/v4";

/// The address of a deploy API without a path. The path that wrangler needs is accepted and removed.
///
/// # Errors
/// If it is not the address of an HTTP server.
pub fn address(text: &str) -> Result<String, Failure> {
    let wrong = |reason: &str| {
        Failure::usage(
            format!("{text:?} is not the address of a deploy API: {reason}"),
            "Write one such as https://deploy-api.example.workers.dev.",
        )
    };
    let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("it must begin with https:// or http://"));
    }
    let is_local = url.host_str().is_some_and(is_loopback);
    if url.scheme() == "http" && !is_local {
        return Err(wrong("the token would be sent without TLS"));
    }
    if !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has more than a host and a port"));
    }
    match url.path().trim_end_matches('/') {
        "" | WRANGLER_PATH => Ok(url.origin().ascii_serialization()),
        _ => Err(wrong("it has a path")),
    }
}

/// Whether a host is this machine. Names below `localhost` always are: RFC 6761.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://deploy-api.example.workers.dev";

    #[test]
    fn an_address_has_no_path_and_no_plain_http_over_a_network() {
        assert_eq!(address(&format!("{API}/")).unwrap(), API);
        assert_eq!(address(&format!("{API}/client/v4")).unwrap(), API);
        for local in ["http://127.0.0.1:9000", "http://api.workers.dev.localhost:9000"] {
            assert_eq!(address(local).unwrap(), local);
        }
        for text in [
            "deploy-api",
            "ftp://a.example",
            "http://a.example",
            "https://a.example/v1",
            "https://u@a.example",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
