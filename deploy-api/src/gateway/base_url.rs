//! Calls of Cloudflare's API that reach the deploy API at another path than [`BASE`], because of a wrong base URL.

use super::BASE;
use super::response::of_problem;
use crate::code::Code;
use crate::http::Response;
use crate::problem::Problem;

/// The first segments of the paths that clients of Cloudflare's API call first.
const FIRST: [&str; 4] = ["accounts", "user", "memberships", "zones"];

/// The response to a call of Cloudflare's API below a wrong base URL, in Cloudflare's envelope, which wrangler prints; `None` if the
/// path does not look like such a call. `host` is the header `Host`.
#[must_use]
pub fn wrong_base_url(path: &str, host: Option<&str>) -> Option<Response> {
    let below = ["/client/v4", "/client", "/v1", "/v4", "/api"]
        .iter()
        .find_map(|prefix| {
            let rest = path.strip_prefix(prefix)?;
            rest.starts_with('/').then_some(rest)
        })
        .unwrap_or(path);
    let first = below.trim_start_matches('/').split('/').next()?;
    if !FIRST.contains(&first) {
        return None;
    }
    Some(of_problem(Problem::new(
        Code::BaseUrlWrong,
        "This is a call of Cloudflare's API, but its path does not begin with the base path of the deploy API.",
        format!("Set CLOUDFLARE_API_BASE_URL to {}.", base_url(host)),
    )))
}

fn base_url(host: Option<&str>) -> String {
    let is_plain = |host: &&str| {
        host.len() <= 255
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    let Some(host) = host.filter(is_plain).filter(|host| !host.is_empty()) else {
        return format!("the URL of the deploy API, followed by {BASE}");
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&name) || name.ends_with(".localhost");
    let scheme = if is_local { "http" } else { "https" };
    format!("{scheme}://{host}{BASE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_below_a_wrong_base_url_is_told_the_right_one() {
        for path in [
            "/accounts/1/workers/dispatch/namespaces/n/scripts/s",
            "/v1/accounts/1/workers/scripts/s/secrets",
            "/client/accounts/1",
            "/user/tokens/verify",
            "/v1/user",
            "/memberships",
            "/accounts",
            "/zones",
            "//accounts/1",
        ] {
            let response = wrong_base_url(path, Some("localhost:8787")).unwrap();
            assert_eq!(response.status, 404, "{path}");
            assert!(response.body.contains("\"code\":740124"), "{}", response.body);
            assert!(
                response.body.contains("http://localhost:8787/client/v4"),
                "{}",
                response.body
            );
        }
        for path in [
            "/",
            "/v1",
            "/v1/tokens",
            "/v1/health",
            "/index.html",
            "/accountsx",
            "/v1/namespaces/accounts",
        ] {
            assert_eq!(wrong_base_url(path, None), None, "{path}");
        }
    }

    #[test]
    fn the_base_url_is_made_of_the_host() {
        assert_eq!(
            base_url(Some("deploy-api.example.workers.dev")),
            "https://deploy-api.example.workers.dev/client/v4"
        );
        assert_eq!(
            base_url(Some("api.localhost:1")),
            "http://api.localhost:1/client/v4"
        );
        for host in [None, Some(""), Some("a b"), Some("a\"<script>")] {
            assert!(base_url(host).starts_with("the URL"), "{host:?}");
        }
    }
}
