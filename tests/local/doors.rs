//! Everything that the platform stores is reachable only through its own APIs: not through the functions that the runtime serves
//! below `/cdn-cgi/`, and not through the other ports of the runtime.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result};
use dotdo_names::Environment::Production;
use end_to_end::{Options, Platform, Script};

use crate::access::listening_ports;

/// What a response must never contain: it is part of the deployed script and one of its variables.
const CONTENT: &str = "content-of-the-deployed-worker";

/// The functions of the runtime and of wrangler. `{bundle}` is the key of the script's bundle.
const PATHS: [&str; 34] = [
    "/cdn-cgi/local/explorer",
    "/cdn-cgi/local/explorer/",
    "/cdn-cgi/local/explorer/index.html",
    "/cdn-cgi/local/explorer/api",
    "/cdn-cgi/local/explorer/api/d1/database",
    "/cdn-cgi/local/explorer/api/d1/database/x/raw",
    "/cdn-cgi/local/explorer/api/local/email/routing",
    "/cdn-cgi/local/explorer/api/local/email/sending",
    "/cdn-cgi/local/explorer/api/local/observability/query",
    "/cdn-cgi/local/explorer/api/local/observability/clear",
    "/cdn-cgi/local/explorer/api/local/scheduled",
    "/cdn-cgi/local/explorer/api/local/workers",
    "/cdn-cgi/local/explorer/api/r2/buckets",
    "/cdn-cgi/local/explorer/api/r2/buckets/dotdo-bundles/objects",
    "/cdn-cgi/local/explorer/api/r2/buckets/dotdo-bundles/objects/{bundle}",
    "/cdn-cgi/local/explorer/api/storage/kv/namespaces",
    "/cdn-cgi/local/explorer/api/storage/kv/namespaces/hostnames/keys",
    "/cdn-cgi/local/explorer/api/storage/kv/namespaces/hostnames/values/x",
    "/cdn-cgi/local/explorer/api/workers/durable_objects/namespaces",
    "/cdn-cgi/local/explorer/api/workers/durable_objects/namespaces/deploy-api-Ledger/objects",
    "/cdn-cgi/local/explorer/api/workers/durable_objects/namespaces/deploy-api-Ledger/query",
    "/cdn-cgi/local/explorer/api/workers/durable_objects/namespaces/local-Store/query",
    "/cdn-cgi/local/explorer/api/workflows",
    "/cdn-cgi/explorer/api/r2/buckets",
    "/cdn-cgi/local/r2/public/dotdo-bundles/{bundle}",
    "/cdn-cgi/local/r2/s3/dotdo-bundles/{bundle}",
    "/cdn-cgi/local/platform-proxy",
    "/cdn-cgi/local/scheduled",
    "/cdn-cgi/local/email?from=a@example.com&to=b@example.com",
    "/cdn-cgi/mf/scheduled",
    "/cdn-cgi/handler/scheduled",
    "/cdn-cgi/ProxyWorker/play",
    "/cdn-cgi/live-reload",
    "/cdn-cgi/InspectorProxyWorker/websocket",
];

/// Paths of ports of the runtime that do not serve Workers.
const RUNTIME_PATHS: [&str; 7] = [
    "/json",
    "/json/list",
    "/json/version",
    "/core:user:local",
    "/core/do-storage/deploy-api-Ledger",
    "/core/log",
    "/ws",
];

/// Other spellings of a path, which a URL parser reads as the same one.
fn spellings(path: &str) -> Vec<String> {
    let rest = path.trim_start_matches("/cdn-cgi/");
    vec![
        path.to_owned(),
        format!("http://localhost{path}"),
        format!("HTTP://user@localhost:1{path}"),
        format!("/./a/..{path}"),
        format!("/a/%2e%2E{path}"),
        format!("/\\..{path}"),
        format!("\\cdn-cgi\\{rest}"),
        format!("/%63dn-cgi/{rest}"),
        format!("/{path}"),
    ]
}

/// A request with exactly these bytes.
struct Sent<'a> {
    method: &'a str,
    target: &'a str,
    host: &'a str,
    more: &'a str,
}

impl Sent<'_> {
    /// The bytes of the response, or nothing when the port does not answer.
    fn response(&self, port: u16) -> Result<String> {
        let Self {
            method,
            target,
            host,
            more,
        } = self;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let body =
            r#"{"sql":"SELECT * FROM sqlite_master","queries":[{"sql":"SELECT * FROM sqlite_master"}]}"#;
        let length = if *method == "GET" { 0 } else { body.len() };
        let body = body.get(..length).unwrap_or_default();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{more}\r\n{body}"
        )?;
        let mut response = Vec::new();
        // A port that is not one of HTTP closes the connection, or waits for more.
        let _ = stream.read_to_end(&mut response);
        Ok(String::from_utf8_lossy(&response).into_owned())
    }

    /// Fails when the response is a successful one, or has something of the deployed Worker.
    fn is_refused(&self, port: u16) -> Result<()> {
        let response = self.response(port)?;
        let status: u16 = response
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        let what = format!("port {port}, {} {} of {}", self.method, self.target, self.host);
        anyhow::ensure!(status == 0 || status >= 400, "{what}: {response}");
        anyhow::ensure!(!response.contains(CONTENT), "{what}: {response}");
        Ok(())
    }
}

const UPGRADE: &str =
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[end_to_end::test]
async fn no_request_without_a_token_reads_stored_data() -> Result<()> {
    let platform = Platform::start(Options::new());
    let script = Script::module(&format!(
        "export default {{ fetch: () => new Response('served') }}; // {CONTENT}"
    ))
    .with_text("SECRET", CONTENT);
    platform.deploy(Production, "stored", &script).await?;
    assert_eq!(platform.get("stored.do", "/").await?.text(), "served");
    let deployments = platform.deploy_api().deployments(Production, "stored").await?;
    let digest = deployments[0]["bundle"]["digest"].as_str().context("no digest")?;
    let bundle = format!("bundles/{digest}");

    for path in PATHS.map(|path| path.replace("{bundle}", &bundle)) {
        for target in spellings(&path) {
            for host in ["localhost", "stored.localhost", "stored.do", "evil.example"] {
                let request = Sent {
                    method: "GET",
                    target: &target,
                    host,
                    more: "",
                };
                request.is_refused(platform.port())?;
            }
        }
        for (method, more) in [
            ("POST", ""),
            ("PUT", "Origin: https://evil.example\r\n"),
            ("DELETE", "Origin: http://localhost\r\n"),
            ("GET", UPGRADE),
            ("POST", "MF-Original-URL: http://localhost/\r\n"),
        ] {
            let request = Sent {
                method,
                target: &path,
                host: "localhost",
                more,
            };
            request.is_refused(platform.port())?;
        }
    }

    let mut ports = listening_ports(platform.group())?;
    ports.retain(|port| *port != platform.port());
    assert!(!ports.is_empty(), "the runtime has no port of its own");
    // wrangler's port accepts WebSockets for this path from everybody, and sends nothing but "reload" over them.
    let functions = PATHS.iter().filter(|path| !path.ends_with("/live-reload"));
    for path in functions
        .chain(&RUNTIME_PATHS)
        .map(|path| path.replace("{bundle}", &bundle))
    {
        for port in &ports {
            for (method, more) in [
                ("GET", ""),
                ("POST", ""),
                ("GET", "Origin: https://evil.example\r\n"),
                ("GET", "Origin: http://localhost\r\n"),
                ("GET", UPGRADE),
                ("GET", &format!("{UPGRADE}Origin: https://evil.example\r\n")),
                (
                    "GET",
                    "MF-Original-URL: http://localhost/cdn-cgi/local/explorer/api/r2/buckets\r\n",
                ),
            ] {
                let request = Sent {
                    method,
                    target: &path,
                    host: "localhost",
                    more,
                };
                request.is_refused(*port)?;
            }
        }
    }
    let record = platform.state().join("workers/v3/observability");
    assert!(!record.exists(), "the runtime records requests");

    // Earlier versions of the platform recorded each request in this folder, without a limit.
    std::fs::create_dir_all(record.join("objects"))?;
    std::fs::write(record.join("objects/requests.sqlite"), "recorded")?;
    let platform = platform.restart();
    assert!(!record.exists());
    assert_eq!(platform.get("stored.do", "/").await?.text(), "served");
    Ok(())
}
