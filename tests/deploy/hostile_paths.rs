//! Paths and headers that could change the meaning of a request upstream. The deploy API forwards none of them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use dotdo_names::{ACCOUNT_ID, Environment::Staging};
use end_to_end::{Answer, Script, relay::Relayed};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::platforms::{BehindRelay, behind_relay, text};

/// Sends a request line unchanged, because an HTTP library would normalize the path. Returns the status and the whole
/// response.
async fn raw(relayed: &BehindRelay, method: &str, path: &str, headers: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", relayed.platform.port())).await?;
    let token = relayed.platform.token();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\
         Connection: close\r\n{headers}\r\n",
        relayed.platform.port()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).context("no response")?.parse()?;
    Ok((status, text))
}

/// What a deploy reads of the account: the Workers that bindings refer to, and resources by name.
const READ: [&str; 8] = [
    "workers/scripts/",
    "workers/services/",
    "storage/kv/namespaces",
    "r2/buckets",
    "d1/database",
    "queues",
    "hyperdrive/configs",
    "vectorize/v2/indexes",
];

/// The requests to the upstream that a deploy into a namespace does not make.
fn unexpected(requests: Vec<Relayed>) -> Vec<Relayed> {
    let namespaces = format!("/client/v4/accounts/{ACCOUNT_ID}/workers/dispatch/namespaces");
    let assets = format!("/client/v4/accounts/{ACCOUNT_ID}/workers/assets/upload");
    requests
        .into_iter()
        .filter(|request| {
            let is_plain =
                !request.path.contains("..") && !request.path.contains('%') && !request.path.contains("//");
            let reads = request.method == "GET"
                && READ.iter().any(|path| {
                    let read = format!("/client/v4/accounts/{ACCOUNT_ID}/{path}");
                    request.path.starts_with(&read)
                });
            !(is_plain
                && (request.path.starts_with(&namespaces) || request.path.starts_with(&assets) || reads))
        })
        .collect()
}

#[end_to_end::test]
async fn rejects_paths_that_lead_out_of_the_namespace() -> Result<()> {
    let relayed = behind_relay();
    let account = format!("/client/v4/accounts/{ACCOUNT_ID}");
    let namespace = format!("{account}/workers/dispatch/namespaces/dotdo-staging");
    let other = "0123456789abcdef0123456789abcdef";
    let paths = [
        (
            "GET",
            format!("{namespace}/scripts/../../../../scripts/dispatcher"),
        ),
        (
            "PUT",
            format!("{namespace}/scripts/../../../../scripts/dispatcher"),
        ),
        (
            "DELETE",
            format!("{namespace}/scripts/x/../../../../../services/dispatcher"),
        ),
        (
            "PUT",
            format!("{namespace}/scripts/..%2f..%2f..%2f..%2fscripts%2fdispatcher"),
        ),
        (
            "PUT",
            format!("{namespace}/scripts/%2e%2e/%2e%2e/scripts/hostile"),
        ),
        ("PUT", format!("{namespace}/scripts/hostile%2fcontent")),
        ("PUT", format!("{namespace}/scripts/hostile%00")),
        ("PUT", format!("{namespace}/scripts//hostile")),
        ("PUT", format!("{namespace}//scripts/hostile")),
        (
            "PUT",
            format!("/client/v4//accounts/{ACCOUNT_ID}/workers/scripts/hostile"),
        ),
        ("PUT", format!("{namespace}/scripts/hostile;x=y")),
        ("PUT", format!("{namespace}/scripts/hostile/content")),
        ("PUT", format!("{namespace}/scripts/hostile/")),
        ("DELETE", format!("{namespace}/scripts?tags=hostile:yes")),
        ("DELETE", namespace.clone()),
        ("POST", format!("{account}/workers/dispatch/namespaces")),
        (
            "PUT",
            format!("{account}/workers/dispatch/namespaces/foreign/scripts/hostile"),
        ),
        (
            "PUT",
            format!("{account}/workers/dispatch/namespaces/dotdo-staging2/scripts/hostile"),
        ),
        (
            "PUT",
            format!("/client/v4/accounts/{other}/workers/dispatch/namespaces/dotdo-staging/scripts/hostile"),
        ),
        (
            "GET",
            format!("/client/v4/accounts/{other}/workers/dispatch/namespaces"),
        ),
        ("PUT", format!("{account}/workers/scripts/hostile")),
        ("PUT", format!("{account}/workers/scripts/dispatcher")),
        ("DELETE", format!("{account}/workers/scripts/dispatcher")),
        (
            "DELETE",
            format!("{account}/workers/services/dispatcher?force=true"),
        ),
        ("POST", format!("{account}/workers/scripts/dispatcher/tails")),
        ("PUT", format!("{account}/workers/scripts/dispatcher/content")),
        ("POST", format!("{account}/storage/kv/namespaces")),
        ("POST", format!("{account}/tokens")),
        ("GET", "/client/v4/zones".to_owned()),
        ("GET", "/client/v4/user/tokens".to_owned()),
        ("POST", "/client/v4/graphql".to_owned()),
    ];
    for (method, path) in paths {
        let (status, answer) = raw(&relayed, method, &path, "").await?;
        assert!((400..500).contains(&status), "{method} {path}: {answer}");
        assert!(!answer.contains("[code: 10000]"), "{method} {path}");
    }
    assert_eq!(unexpected(relayed.relay.requests("")), []);
    assert_eq!(relayed.relay.requests("hostile"), []);
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_method_override() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .platform
        .deploy(Staging, "overridden", &Script::answering("still here"))
        .await?;
    let path = relayed.platform.script_path(Staging, "overridden");
    for header in [
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
    ] {
        let (status, answer) = raw(&relayed, "GET", &path, &format!("{header}\r\n")).await?;
        assert_eq!(status, 400, "{header}: {answer}");
        assert!(answer.contains("740111"), "{header}: {answer}");
    }
    // A parameter overrides nothing and is not forwarded. An upload with a parameter that wrangler never sends is rejected.
    raw(&relayed, "GET", &format!("{path}?_method=DELETE"), "").await?;
    let (status, answer) = raw(&relayed, "PUT", &format!("{path}?redirect=x"), "").await?;
    assert_eq!(status, 400, "{answer}");
    for parameter in ["_method", "redirect"] {
        assert_eq!(relayed.relay.requests(parameter), []);
    }
    assert_eq!(
        text(relayed.cloudflare, Staging, "overridden").await?,
        "still here"
    );
    Ok(())
}

#[end_to_end::test]
async fn forwards_the_upload_without_the_clients_headers() -> Result<()> {
    let relayed = behind_relay();
    let call = relayed
        .platform
        .api(Method::PUT, &relayed.platform.script_path(Staging, "laden"))
        .header("Cookie", "session=1")
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Custom", "1")
        .query(&[("excludeScript", "true")])
        .multipart(Script::answering("x").to_form());
    let answer = Answer::read(call.send().await?).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let requests = relayed.relay.requests("/scripts/laden");
    assert!(!requests.is_empty());
    let expected = format!("Bearer {}", relayed.cloudflare.token());
    for request in &requests {
        assert_eq!(
            request.authorization, expected,
            "the deploy API must send the account's token"
        );
        let names: BTreeSet<_> = request.headers.iter().map(String::as_str).collect();
        for name in ["cookie", "x-forwarded-host", "x-custom"] {
            assert!(!names.contains(name), "{request:?}");
        }
    }
    Ok(())
}
