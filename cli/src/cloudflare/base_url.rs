//! The address of Cloudflare's API.

use std::env;
use std::fmt;

use url::Url;

use crate::credentials::is_loopback;
use crate::failure::Failure;

/// The variable with another address, which wrangler reads as well.
const VARIABLE: &str = "CLOUDFLARE_API_BASE_URL";

/// The address that Cloudflare documents: <https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/>.
const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// The address of Cloudflare's API without a final slash, such as `https://api.cloudflare.com/client/v4`. It has TLS, unless it is an
/// address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address in `CLOUDFLARE_API_BASE_URL`, or Cloudflare's.
    ///
    /// # Errors
    /// If the variable is not the address of an API.
    pub fn of_variables() -> Result<Self, Failure> {
        match env::var(VARIABLE).ok().filter(|value| !value.is_empty()) {
            Some(value) => Self::parse(&value),
            None => Ok(Self(CLOUDFLARE.to_owned())),
        }
    }

    /// Parses an address.
    ///
    /// # Errors
    /// If it has no host, a user, a query, or no TLS although it is the address of another machine.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |reason: &str| {
            Failure::usage(
                format!("{VARIABLE} is {text:?}, which is not the address of Cloudflare's API: {reason}"),
                format!("Unset {VARIABLE}: this command calls {CLOUDFLARE} then."),
            )
        };
        let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("it must begin with https://"));
        }
        let is_local = url.host_str().is_some_and(is_loopback);
        if url.scheme() == "http" && !is_local {
            return Err(wrong("the token would be sent without TLS"));
        }
        if !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has more than a host, a port and a path"));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The text of the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_tls_or_is_of_this_machine() {
        for (text, expected) in [
            (CLOUDFLARE, CLOUDFLARE),
            (
                "http://localhost:8788/client/v4/",
                "http://localhost:8788/client/v4",
            ),
            ("http://127.0.0.1:8788", "http://127.0.0.1:8788"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().as_str(), expected);
        }
        for text in [
            "http://api.cloudflare.com/client/v4",
            "api.cloudflare.com",
            "ftp://localhost/",
            "https://user@api.cloudflare.com/client/v4",
            "https://api.cloudflare.com/client/v4?a=b",
        ] {
            let failure = BaseUrl::parse(text).unwrap_err().text();
            assert!(failure.contains(text) && failure.contains("Unset"), "{failure}");
        }
    }
}
