//! Access to the REST API: only with the local token, only on loopback, and not from web pages.

use anyhow::Result;
use end_to_end::{Answer, Platform};
use reqwest::Method;

use crate::envelope::error;

const PATH: &str = "/client/v4/accounts";

#[end_to_end::test]
async fn rejects_every_call_without_the_local_token() -> Result<()> {
    let platform = Platform::shared();
    let longer = format!("{}0", platform.token());
    let tokens = [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer wrong"),
        Some("Basic d3Jvbmc6d3Jvbmc="),
    ];
    let wrong = format!("Bearer {longer}");
    for authorization in tokens.into_iter().chain([Some(wrong.as_str())]) {
        for path in [
            PATH,
            "/client/v4/user",
            "/client/v4/local/dispatches",
            "/client/v4/nothing",
        ] {
            let mut request = platform.request(Method::GET, "localhost", path);
            if let Some(authorization) = authorization {
                request = request.header("Authorization", authorization);
            }
            let answer = Answer::read(request.send().await?).await?;
            assert_eq!(answer.status, 401, "{authorization:?} {path}");
            let (code, message) = error(&answer)?;
            // After 10000, wrangler makes five more calls and prints wrong advice.
            assert_ne!(code, 10000);
            assert!(message.contains("CLOUDFLARE_API_TOKEN"), "{message}");
        }
    }
    // The token is not accepted as a global API key.
    let request = platform
        .request(Method::GET, "localhost", PATH)
        .header("X-Auth-Key", platform.token())
        .header("X-Auth-Email", "a@example.com");
    assert_eq!(request.send().await?.status(), 401);
    Ok(())
}

#[end_to_end::test]
async fn serves_the_api_only_on_loopback_names() -> Result<()> {
    let platform = Platform::shared();
    for (host, status) in [
        ("localhost", 200),
        ("localhost:8787", 200),
        ("127.0.0.1", 200),
        ("[::1]:8787", 200),
        ("LOCALHOST", 200),
        ("rebound.example", 404),
        ("hello.localhost", 404),
        ("hello.do", 404),
        ("localhost.rebound.example", 404),
        ("api.cloudflare.com", 404),
    ] {
        let request = platform
            .request(Method::GET, host, PATH)
            .bearer_auth(platform.token());
        let answer = Answer::read(request.send().await?).await?;
        assert_eq!(answer.status.as_u16(), status, "{host}: {}", answer.text());
        if status == 404 {
            assert_ne!(
                answer.header("x-dispatch-error"),
                "",
                "{host} is not served by the dispatch Worker"
            );
        }
    }
    Ok(())
}

/// wrangler can serve an explorer on the same port, which reads and writes all stored data without a credential.
#[end_to_end::test]
async fn serves_no_explorer_of_the_stored_data() -> Result<()> {
    let platform = Platform::shared();
    for path in ["", "/", "/api/", "/api/local/workers", "/api/r2/buckets"] {
        let path = format!("/cdn-cgi/local/explorer{path}");
        let answer = platform.get("localhost", &path).await?;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    Ok(())
}

/// A page of another origin may have the token by accident. The browser's headers show the origin.
#[end_to_end::test]
async fn rejects_web_pages_of_other_origins() -> Result<()> {
    let platform = Platform::shared();
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "http://evil.localhost:8787"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let request = platform.api(Method::GET, PATH).header(name, value);
        let answer = Answer::read(request.send().await?).await?;
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
    Ok(())
}

/// No socket listens on an address that another machine can reach.
#[end_to_end::test]
async fn listens_only_on_loopback() -> Result<()> {
    let platform = Platform::shared();
    let port = format!(":{:04X}", platform.port());
    let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let mut listening = Vec::new();
    for sockets in sockets {
        let sockets = sockets?;
        // `proc(5)`: `sl local_address rem_address st …`; 0A is LISTEN.
        for line in sockets.lines().skip(1) {
            let fields: Vec<_> = line.split_ascii_whitespace().collect();
            if fields[3] == "0A" && fields[1].ends_with(&port) {
                listening.push(fields[1].to_owned());
            }
        }
    }
    assert_eq!(listening, [format!("0100007F{port}")]);
    Ok(())
}
