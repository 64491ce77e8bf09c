//! Access to the REST API: only with the local token, only on loopback, and not from web pages.

use std::time::Duration;

use anyhow::{Context, Result};
use dotdo_names::Environment::Production;
use end_to_end::{Answer, Platform, Script};
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

/// A page of a name that points to this machine can send any header to it. The runtime takes the address of a request from
/// `MF-Original-URL`, so that the request would seem to have the host `localhost`.
#[end_to_end::test]
async fn rejects_the_headers_of_the_runtime() -> Result<()> {
    let platform = Platform::shared();
    let port = platform.port();
    for path in ["/", PATH, "/v1/health"] {
        let request = platform
            .request(Method::GET, "rebound.example", path)
            .bearer_auth(platform.token())
            .header("MF-Original-URL", format!("http://localhost:{port}{path}"));
        let answer = Answer::read(request.send().await?).await?;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        assert!(answer.text().contains("MF-"), "{path}: {}", answer.text());
    }
    Ok(())
}

/// The runtime listens on more ports than the platform's, which a page can find.
#[end_to_end::test]
async fn serves_nothing_on_the_ports_of_the_runtime() -> Result<()> {
    let platform = Platform::shared();
    let mut ports = listening_ports(platform.group())?;
    ports.retain(|port| *port != platform.port());
    assert!(!ports.is_empty(), "the runtime has no port of its own");
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()?;
    for port in ports {
        for path in ["/", PATH, "/v1/health"] {
            let request = client
                .get(format!("http://127.0.0.1:{port}{path}"))
                .header("Host", "localhost")
                .bearer_auth(platform.token())
                .header("MF-Original-URL", format!("http://localhost:{port}{path}"));
            // Not every port is one of HTTP.
            if let Ok(answer) = request.send().await {
                assert!(!answer.status().is_success(), "port {port}, {path}");
            }
        }
    }
    Ok(())
}

/// The ports on which the processes of a process group listen.
pub fn listening_ports(group: i32) -> Result<Vec<u16>> {
    let mut inodes = Vec::new();
    for process in std::fs::read_dir("/proc")?.flatten() {
        let Ok(stat) = std::fs::read_to_string(process.path().join("stat")) else {
            continue;
        };
        // `proc(5)`: `pid (name) state ppid pgrp …`; the name may contain spaces.
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        if after_name.split(' ').nth(2) != Some(&group.to_string()) {
            continue;
        }
        for descriptor in std::fs::read_dir(process.path().join("fd"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let target = std::fs::read_link(descriptor.path()).unwrap_or_default();
            let target = target.to_string_lossy().into_owned();
            inodes.extend(
                target
                    .strip_prefix("socket:[")
                    .and_then(|rest| rest.strip_suffix(']'))
                    .map(str::to_owned),
            );
        }
    }
    let mut ports = Vec::new();
    for line in std::fs::read_to_string("/proc/net/tcp")?.lines().skip(1) {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        if fields[3] == "0A" && inodes.iter().any(|inode| inode == fields[9]) {
            let (_, port) = fields[1].split_once(':').context("an address has no port")?;
            ports.push(u16::from_str_radix(port, 16)?);
        }
    }
    Ok(ports)
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

/// A page elsewhere can send requests to Workers and to the start page. A page of this machine may, and so may a link.
#[end_to_end::test]
async fn rejects_web_pages_of_other_machines_on_every_host() -> Result<()> {
    let platform = Platform::shared();
    let script = Script::module("export default { fetch: (request) => new Response(request.method) }");
    platform.deploy(Production, "visited", &script).await?;
    let worker = "visited.localhost";
    for (host, header, value, status) in [
        (worker, "Origin", "https://evil.example", 403),
        (worker, "Origin", "null", 403),
        (worker, "Sec-Fetch-Site", "cross-site", 403),
        (worker, "Origin", "http://visited.localhost:8787", 200),
        (worker, "Origin", "http://localhost:3000", 200),
        (worker, "Sec-Fetch-Site", "same-origin", 200),
        ("localhost", "Origin", "https://evil.example", 403),
        ("localhost", "Sec-Fetch-Site", "cross-site", 403),
        ("localhost", "Sec-Fetch-Site", "none", 200),
        ("visited.do", "Origin", "http://visited.do", 403),
        ("visited.do", "User-Agent", "Mozilla/5.0", 403),
        ("visited.do", "User-Agent", "curl/8.5.0", 200),
    ] {
        for method in [Method::GET, Method::POST] {
            if host == "localhost" && method == Method::POST {
                continue;
            }
            let request = platform
                .request(method.clone(), host, "/")
                .header("Accept", "text/html")
                .header(header, value);
            let answer = Answer::read(request.send().await?).await?;
            assert_eq!(
                answer.status,
                status,
                "{method} {host} {header}: {value}: {}",
                answer.text()
            );
            assert!(
                status == 200 || !answer.text().contains("visited<"),
                "{}",
                answer.text()
            );
        }
    }
    let link = platform
        .request(Method::GET, worker, "/")
        .header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Dest", "document");
    assert_eq!(link.send().await?.status(), 200, "a link leads to a Worker");
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
