//! Calls of the Cloudflare API with a wrong base URL: `CLOUDFLARE_API_BASE_URL` without `/client/v4`, or with another path.

use super::path::BASE;
use super::response::of_problem;
use crate::code::Code;
use crate::http::{Request, Response, check_origin};
use crate::problem::Problem;
use crate::upload::Source;

/// The first segments of the calls of the Cloudflare API that clients of this gateway send.
const FIRST: [&str; 4] = ["accounts", "user", "memberships", "zones"];

/// The segments before them in a wrong base URL.
const BEFORE: [&str; 4] = ["", "client", "v4", "v1"];

/// The longest host that the error repeats, in bytes.
const MAX_HOST: usize = 255;

/// The response to a call of the Cloudflare API with a wrong base URL: an envelope with the right one, which wrangler prints.
/// `None` for every other request. The caller is not authenticated, because the response depends only on the request.
pub fn wrong_base_url<B: Source>(request: &Request<'_, B>) -> Option<Response> {
    has_wrong_base(request.path).then(|| {
        let problem = check_origin(request)
            .err()
            .unwrap_or_else(|| base_url_wrong(request.header("host")));
        of_problem(problem)
    })
}

fn has_wrong_base(path: &str) -> bool {
    let is_call = |path: &str| path.split('/').next().is_some_and(|first| FIRST.contains(&first));
    let below_base = path.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/'));
    let first = path.split('/').find(|segment| !BEFORE.contains(segment));
    first.is_some_and(is_call) && !below_base.is_some_and(is_call)
}

fn base_url_wrong(host: Option<&str>) -> Problem {
    let url = base_url(host);
    Problem::new(
        Code::BaseUrlWrong,
        format!("The base URL of this call is wrong: the deploy API serves the Cloudflare API below {BASE}."),
        format!(
            "Set CLOUDFLARE_API_BASE_URL={url}, without a slash at its end. For an SDK, use {url} as its base URL."
        ),
    )
}

/// The base URL for clients that reach this API as `host`, the header `Host`.
fn base_url(host: Option<&str>) -> String {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'[' | b']');
    let host = host
        .filter(|host| (1..=MAX_HOST).contains(&host.len()) && host.bytes().all(is_plain))
        .unwrap_or("<the host of the deploy API>");
    let scheme = if is_loopback(host) { "http" } else { "https" };
    format!("{scheme}://{host}{BASE}")
}

/// Whether a host, with or without a port, is the machine of the client. The local platform does not have TLS.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]") || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::http::WholeBody;

    fn response(path: &str, headers: &[(&str, &str)]) -> Option<Response> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        wrong_base_url(&Request {
            method: "GET",
            path,
            query: "",
            headers: &headers,
            body: WholeBody::new(Vec::new()),
        })
    }

    #[test]
    fn a_call_with_a_wrong_base_url_is_recognized() {
        for path in [
            "/accounts",
            "/accounts/b6641681fe423910342b9ffa1364c76d/workers/scripts/agents/settings",
            "/user",
            "/user/tokens/verify",
            "/memberships",
            "/zones/1",
            "//accounts",
            "/v1/accounts",
            "/v1/user",
            "/client/v4/v1/accounts",
            "/v1/client/v4/accounts",
            "/client/v4/client/v4/user",
            "/client/v4//accounts/1",
            "/client/accounts",
            "/v4/accounts",
        ] {
            assert!(response(path, &[]).is_some(), "{path}");
        }
    }

    #[test]
    fn other_paths_keep_their_response() {
        for path in [
            "",
            "/",
            "/client/v4",
            "/client/v4/",
            "/client/v4/accounts",
            "/client/v4/accounts//workers",
            "/client/v4/user/tokens/verify",
            "/client/v4/zones",
            "/client/v4/graphql",
            "/v1",
            "/v1/health",
            "/v1/namespaces/dotdo-staging/workers/accounts",
            "/v1/tokens/user",
            "/usernames",
            "/v1/accountsx",
            "/favicon.ico",
        ] {
            assert_eq!(response(path, &[]), None, "{path}");
        }
    }

    #[test]
    fn no_call_of_v1_has_a_wrong_base_url() {
        for route in crate::v1::ROUTES {
            assert!(!has_wrong_base(route.path), "{}", route.path);
        }
    }

    #[test]
    fn the_error_names_the_right_base_url() {
        for (host, url) in [
            (
                Some("deploy-api.example.com"),
                "https://deploy-api.example.com/client/v4",
            ),
            (
                Some("deploy-api.example.com:8443"),
                "https://deploy-api.example.com:8443/client/v4",
            ),
            (Some("localhost:8787"), "http://localhost:8787/client/v4"),
            (Some("127.0.0.1"), "http://127.0.0.1/client/v4"),
            (Some("[::1]:8787"), "http://[::1]:8787/client/v4"),
            (
                Some("localhost.evil.example"),
                "https://localhost.evil.example/client/v4",
            ),
            (Some("a/b"), "https://<the host of the deploy API>/client/v4"),
            (None, "https://<the host of the deploy API>/client/v4"),
        ] {
            let headers: Vec<_> = host.into_iter().map(|host| ("Host", host)).collect();
            let response = response("/accounts", &headers).unwrap();
            assert_eq!(response.status, 404);
            let body: Value = serde_json::from_str(&response.body).unwrap();
            assert_eq!(body["success"], false);
            assert_eq!(body["errors"][0]["code"], 740_124);
            let message = body["errors"][0]["message"].as_str().unwrap();
            assert!(
                message.contains(&format!("CLOUDFLARE_API_BASE_URL={url},")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_web_page_of_another_origin_is_refused() {
        let headers = [("host", "localhost:8787"), ("origin", "https://evil.example")];
        assert_eq!(response("/accounts", &headers).unwrap().status, 403);
    }
}
