//! Finds what a request line is routed to. The matching is axum's; what it finds is a value, not a response.
//!
//! An axum handler must be a `Send` future, and the bodies and futures of the Workers runtime are not. So a router gets only the
//! method and the path of a request, its handlers return the value of their route, and the caller serves the request.

use std::marker::PhantomData;

use axum::Router;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use axum::routing::{MethodFilter, on};
use futures_util::FutureExt;
use thiserror::Error;
use tower_service::Service;

/// Routes, each with a value.
#[derive(Clone, Debug)]
pub struct Routes<T> {
    router: Router,
    value: PhantomData<fn() -> T>,
}

/// A route that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// The value of the route.
    pub value: T,
    /// The segments of the path that the route captures.
    pub captures: Captures,
}

/// The segments of a path that a route captures, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures(Vec<(String, String)>);

/// Why there is no route for a request line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoRoute {
    /// No route has that path.
    #[error("no route has this path")]
    Path,
    /// Routes have that path, but not with this method.
    #[error("the routes of this path have the methods {}", allowed.join(", "))]
    Method {
        /// The methods, for the header `Allow`.
        allowed: Vec<String>,
    },
}

impl<T: Clone + Send + Sync + 'static> Routes<T> {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            value: PhantomData,
        }
    }

    /// The same with one more route. `path` has captures in braces, such as `/v1/tokens/{token}`; a route of `GET` is also
    /// found for `HEAD`. A route whose method axum does not have is never found.
    ///
    /// # Panics
    /// When two routes have the same method and path, or `path` is not valid: the tests build every router.
    #[must_use]
    pub fn route(self, method: &str, path: &str, value: T) -> Self {
        let Some(method) = filter(method) else {
            return self;
        };
        let handler = move |captures: RawPathParams| {
            let captures = captures
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let found = Found {
                value: value.clone(),
                captures: Captures(captures),
            };
            async move {
                let mut response = Response::new(Body::empty());
                response.extensions_mut().insert(found);
                response
            }
        };
        Self {
            router: self.router.route(path, on(method, handler)),
            ..self
        }
    }

    /// The route of a request line. A route without captures precedes one with captures. What is captured is not decoded: the
    /// names in paths need no encoding, and another server could decode them differently. A path with an empty segment has no
    /// route.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, method: &str, path: &str) -> Result<Found<T>, NoRoute> {
        if !has_only_segments(path) {
            return Err(NoRoute::Path);
        }
        // axum decodes captures once.
        let path = path.replace('%', "%25");
        let head = Request::builder().method(method).uri(path).body(Body::empty());
        let head = head.map_err(|_| NoRoute::Path)?;
        // No handler waits for anything.
        let response = self.router.clone().call(head).now_or_never();
        let mut response = response.ok_or(NoRoute::Path)?.map_err(|never| match never {})?;
        if let Some(found) = response.extensions_mut().remove::<Found<T>>() {
            return Ok(found);
        }
        Err(match response.status() {
            StatusCode::METHOD_NOT_ALLOWED => NoRoute::Method {
                allowed: allowed(response.headers()),
            },
            _ => NoRoute::Path,
        })
    }
}

/// Whether a path is a sequence of segments, none of which is empty. For axum, an empty segment within a path is a value of a
/// capture, and a text with a host, a query or a fragment has a path as well.
fn has_only_segments(path: &str) -> bool {
    path.strip_prefix('/')
        .is_some_and(|segments| segments.split('/').all(|segment| !segment.is_empty()))
        && !path.contains(['?', '#'])
}

fn filter(method: &str) -> Option<MethodFilter> {
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    MethodFilter::try_from(method).ok()
}

fn allowed(headers: &HeaderMap) -> Vec<String> {
    let methods = headers.get(header::ALLOW).and_then(|value| value.to_str().ok());
    let methods = methods.unwrap_or_default().split(',');
    methods.map(|method| method.trim().to_owned()).collect()
}

impl<T: Clone + Send + Sync + 'static> Default for Routes<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Captures {
    /// The names and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A captured segment; empty for a name that the route's path does not have.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes<&'static str> {
        Routes::new()
            .route("GET", "/v1/tokens", "list")
            .route("POST", "/v1/tokens", "create")
            .route("DELETE", "/v1/tokens/self", "revoke own")
            .route("DELETE", "/v1/tokens/{token}", "revoke")
            .route("PUT", "/v1/{namespace}/workers/{worker}", "upload")
    }

    fn found(method: &str, path: &str) -> Result<&'static str, NoRoute> {
        routes().find(method, path).map(|found| found.value)
    }

    #[test]
    fn a_route_without_captures_precedes_one_with_captures() {
        assert_eq!(found("DELETE", "/v1/tokens/self"), Ok("revoke own"));
        assert_eq!(found("DELETE", "/v1/tokens/0123"), Ok("revoke"));
    }

    #[test]
    fn captures_have_names() {
        let found = routes().find("PUT", "/v1/staging/workers/agents").unwrap();
        assert_eq!(
            found.captures.iter().collect::<Vec<_>>(),
            [("namespace", "staging"), ("worker", "agents")]
        );
        assert_eq!(found.captures.get("worker"), "agents");
        assert_eq!(found.captures.get("token"), "");
    }

    #[test]
    fn captures_are_not_decoded() {
        for sent in ["a%2Fb", "%61gents", "%", "%ff", "%25", "%2e%2e"] {
            let found = routes().find("DELETE", &format!("/v1/tokens/{sent}")).unwrap();
            assert_eq!(found.captures.get("token"), sent);
        }
    }

    #[test]
    fn head_is_served_where_get_is() {
        assert_eq!(found("HEAD", "/v1/tokens"), Ok("list"));
        assert!(matches!(
            found("HEAD", "/v1/tokens/self"),
            Err(NoRoute::Method { .. })
        ));
    }

    #[test]
    fn the_error_for_another_method_lists_the_methods() {
        for method in ["PATCH", "get", "BREW"] {
            let Err(NoRoute::Method { mut allowed }) = found(method, "/v1/tokens") else {
                panic!("{method} has a route");
            };
            allowed.sort();
            assert_eq!(allowed, ["GET", "HEAD", "POST"]);
        }
    }

    #[test]
    fn a_path_with_an_empty_segment_has_no_route() {
        for path in [
            "/v1//workers/agents",
            "/v1/staging/workers/",
            "/v1/staging/workers//",
            "/v1/staging//workers/agents",
            "/v1/staging/workers/agents/",
            "//v1/staging/workers/agents",
        ] {
            for method in ["PUT", "GET"] {
                assert_eq!(found(method, path), Err(NoRoute::Path), "{method} {path}");
            }
        }
    }

    #[test]
    fn only_a_path_has_a_route() {
        for text in [
            "http://host/v1/tokens",
            "/v1/tokens?limit=1",
            "/v1/tokens?",
            "/v1/tokens#first",
        ] {
            assert_eq!(found("GET", text), Err(NoRoute::Path), "{text}");
        }
    }

    #[test]
    fn other_paths_have_no_route() {
        for path in [
            "",
            "/",
            "*",
            "v1/tokens",
            "//v1/tokens",
            "/v1//tokens",
            "/v1/tokens/",
            "/V1/tokens",
            "/v1/tokens/a/b",
            "/v1/tokens/../tokens",
            "/v1/token%73",
            "/v1%2Ftokens",
            "http://host/v1/tokens/\u{0}",
            "/v1/tokens ",
        ] {
            assert_eq!(found("GET", path), Err(NoRoute::Path), "{path}");
        }
        assert_eq!(found("", "/v1/tokens"), Err(NoRoute::Path));
    }
}
