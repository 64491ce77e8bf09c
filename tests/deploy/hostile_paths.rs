//! Paths that could be read as another path further on. None of them reaches the upstream.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use dotdo_names::{ACCOUNT_ID, Environment::Staging};
use end_to_end::{Answer, Script, relay::Relayed};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::platforms::{Distant, distant, text};

/// Sends a request line as it is: an HTTP library would tidy the path up first. Gives the status and the whole answer.
async fn raw(distant: &Distant, method: &str, path: &str, headers: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", distant.platform.port())).await?;
    let token = distant.platform.token();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\
         Connection: close\r\n{headers}\r\n",
        distant.platform.port()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).context("no answer")?.parse()?;
    Ok((status, text))
}

/// The calls that came to the upstream and are none that a deploy into a namespace makes.
fn foreign(requests: Vec<Relayed>) -> Vec<Relayed> {
    let namespaces = format!("/client/v4/accounts/{ACCOUNT_ID}/workers/dispatch/namespaces");
    let assets = format!("/client/v4/accounts/{ACCOUNT_ID}/workers/assets/upload");
    requests
        .into_iter()
        .filter(|request| {
            let is_plain =
                !request.path.contains("..") && !request.path.contains('%') && !request.path.contains("//");
            let is_account_question = request.method == "GET"
                && request
                    .path
                    .starts_with(&format!("/client/v4/accounts/{ACCOUNT_ID}/workers/scripts/"));
            !(is_plain
                && (request.path.starts_with(&namespaces)
                    || request.path.starts_with(&assets)
                    || is_account_question))
        })
        .collect()
}

#[end_to_end::test]
async fn none_reaches_the_upstream() -> Result<()> {
    let distant = distant();
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
        ("DELETE", format!("{namespace}/scripts/hostile")),
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
        ("GET", format!("{account}/storage/kv/namespaces")),
        ("POST", format!("{account}/storage/kv/namespaces")),
        ("POST", format!("{account}/tokens")),
        ("GET", "/client/v4/zones".to_owned()),
        ("GET", "/client/v4/user/tokens".to_owned()),
        ("POST", "/client/v4/graphql".to_owned()),
    ];
    for (method, path) in paths {
        let (status, answer) = raw(&distant, method, &path, "").await?;
        assert!((400..500).contains(&status), "{method} {path}: {answer}");
        assert!(!answer.contains("[code: 10000]"), "{method} {path}");
    }
    assert_eq!(foreign(distant.relay.requests("")), []);
    assert_eq!(distant.relay.requests("hostile"), []);
    Ok(())
}

#[end_to_end::test]
async fn a_method_override_is_refused() -> Result<()> {
    let distant = distant();
    distant
        .platform
        .deploy(Staging, "overridden", &Script::answering("still here"))
        .await?;
    let path = distant.platform.script_path(Staging, "overridden");
    for header in [
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
    ] {
        let (status, answer) = raw(&distant, "GET", &path, &format!("{header}\r\n")).await?;
        assert_eq!(status, 400, "{header}: {answer}");
        assert!(answer.contains("740111"), "{header}: {answer}");
    }
    // As a parameter it is not read, nor passed on; an upload with parameters that wrangler never sends is refused.
    raw(&distant, "GET", &format!("{path}?_method=DELETE"), "").await?;
    let (status, answer) = raw(&distant, "PUT", &format!("{path}?redirect=x"), "").await?;
    assert_eq!(status, 400, "{answer}");
    for parameter in ["_method", "redirect"] {
        assert_eq!(distant.relay.requests(parameter), []);
    }
    assert_eq!(
        text(distant.cloudflare, Staging, "overridden").await?,
        "still here"
    );
    Ok(())
}

#[end_to_end::test]
async fn nothing_of_the_client_but_the_upload_goes_upstream() -> Result<()> {
    let distant = distant();
    let call = distant
        .platform
        .api(Method::PUT, &distant.platform.script_path(Staging, "laden"))
        .header("Cookie", "session=1")
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Custom", "1")
        .query(&[("excludeScript", "true")])
        .multipart(Script::answering("x").to_form());
    let answer = Answer::read(call.send().await?).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let requests = distant.relay.requests("/scripts/laden");
    assert!(!requests.is_empty());
    let expected = format!("Bearer {}", distant.cloudflare.token());
    for request in &requests {
        assert_eq!(
            request.authorization, expected,
            "the account's own token, and only it"
        );
        let names: BTreeSet<_> = request.headers.iter().map(String::as_str).collect();
        for name in ["cookie", "x-forwarded-host", "x-custom"] {
            assert!(!names.contains(name), "{request:?}");
        }
    }
    Ok(())
}
