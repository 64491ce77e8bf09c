use deploy_api::v1::ROUTES;

use super::alone::Call;
use crate::support::api::Api;

/// A path of a route with values for its captures.
fn filled(path: &str) -> String {
    path.replace("{namespace}", "dotdo-staging")
        .replace("{worker}", "agents")
        .replace("{token}", "0123456789abcdef")
        .replace("{deployment}", "0190d5a0-0000-7000-8000-000000000000")
        .replace("{secret}", "API_KEY")
}

/// Pitfall 17: one key deployed any service to any environment.
#[test]
fn every_call_except_the_public_ones_needs_a_credential() {
    for route in ROUTES {
        let path = filled(route.path);
        let stranger = Call::new(route.method, &path).body(b"{}").send(&Api::new());
        if route.is_open {
            assert_ne!(stranger.status, 401, "{path}");
            continue;
        }
        assert_eq!(
            (stranger.status, stranger.code().as_str()),
            (401, "AUTHENTICATION_FAILED"),
            "{path}"
        );
        assert_eq!(stranger.header("www-authenticate"), Some("Bearer"), "{path}");
    }
}

#[test]
fn every_route_is_served() {
    for route in ROUTES {
        let path = filled(route.path);
        let answered = Call::new(route.method, &path)
            .by_administrator()
            .body(b"{}")
            .send(&Api::new());
        assert!(
            answered.status < 300 || answered.code() != "INTERNAL",
            "{} {path}: {}",
            route.method,
            answered.text
        );
    }
}

#[test]
fn an_unsupported_method_returns_the_allowed_methods() {
    let answered = Call::new("DELETE", "/v1/policy").send(&Api::new());
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (405, "METHOD_NOT_ALLOWED")
    );
    assert_eq!(answered.header("allow"), Some("GET, HEAD, PUT"));
}

#[test]
fn an_unknown_path_refers_to_the_openapi_document() {
    let answered = Call::new("GET", "/v1/deploy").send(&Api::new());
    assert_eq!((answered.status, answered.code().as_str()), (404, "PATH_UNKNOWN"));
    assert!(answered.text.contains("/v1/openapi.json"));
}

#[test]
fn an_unknown_parameter_is_rejected() {
    for path in [
        "/v1/policy?dryrun=true",
        "/v1/tokens?page=2",
        "/v1/audit/verify?x",
        "/v1/audit?who=alice",
        "/v1/policy/versions?cursor=",
    ] {
        let answered = Call::new("GET", path).by_administrator().send(&Api::new());
        assert_eq!(
            (answered.status, answered.code().as_str()),
            (400, "PARAMETER_INVALID"),
            "{path}"
        );
    }
}

#[test]
fn a_web_page_of_another_origin_is_refused_before_anything_is_asked_or_read() {
    let api = Api::new();
    let from = |headers: &[(&str, &str)]| {
        let call = Call::new("PUT", "/v1/policy").by_administrator().body(b"{}");
        headers
            .iter()
            .fold(call.header("Host", "localhost:8787"), |call, (name, value)| {
                call.header(name, value)
            })
            .send(&api)
    };
    for foreign in [
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost:3000"),
        ("Origin", "http://localhost:8787.evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let refused = from(&[foreign, ("Sec-Fetch-Mode", "navigate")]);
        assert_eq!(refused.status, 403, "{foreign:?}: {}", refused.text);
        assert!(refused.text.contains("ORIGIN_REFUSED"), "{}", refused.text);
        assert_eq!((refused.messages, refused.body_was_read), (0, false));
    }
    for own in [
        ("Origin", "http://localhost:8787"),
        ("Sec-Fetch-Site", "same-origin"),
    ] {
        assert_ne!(from(&[own]).status, 403, "{own:?}");
    }
    let link = Call::new("GET", "/v1/openapi.json")
        .header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Mode", "navigate");
    assert_eq!(link.send(&api).status, 200);
}

#[test]
fn a_method_override_is_refused() {
    let answered = Call::new("GET", "/v1/policy")
        .by_administrator()
        .header("X-HTTP-Method-Override", "PUT")
        .send(&Api::new());
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (400, "METHOD_OVERRIDE_REFUSED")
    );
}

#[test]
fn an_invalid_worker_or_namespace_is_unknown() {
    for (path, code) in [
        ("/v1/namespaces/dotdo-qa", "NAMESPACE_UNKNOWN"),
        ("/v1/namespaces/DOTDO-STAGING/workers", "NAMESPACE_UNKNOWN"),
        ("/v1/namespaces/dotdo-staging/workers/com", "WORKER_UNKNOWN"),
        ("/v1/namespaces/dotdo-staging/workers/a--b", "WORKER_UNKNOWN"),
        ("/v1/namespaces/dotdo-staging/workers/a%2Fb", "WORKER_UNKNOWN"),
    ] {
        let answered = Call::new("GET", path).by_administrator().send(&Api::new());
        assert_eq!((answered.status, answered.code().as_str()), (404, code), "{path}");
    }
}

#[test]
fn a_path_with_an_empty_segment_is_unknown() {
    for method in ["GET", "DELETE", "POST"] {
        for path in [
            "/v1/namespaces//workers/agents",
            "/v1/namespaces/dotdo-staging/workers//secrets/API_KEY",
            "/v1//policy",
            "/v1/policy/",
        ] {
            let answered = Call::new(method, path).by_administrator().send(&Api::new());
            assert_eq!(
                (answered.status, answered.code().as_str()),
                (404, "PATH_UNKNOWN"),
                "{method} {path}"
            );
        }
    }
}
