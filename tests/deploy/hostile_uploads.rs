//! Multipart bodies that no wrangler sends: each has a clear answer, and none reaches the upstream.

use anyhow::{Context, Result};
use bytes::Bytes;
use dotdo_names::Environment::Staging;
use end_to_end::Answer;
use futures_util::{StreamExt, stream};
use reqwest::{Body, Method};

use crate::platforms::distant;

const BOUNDARY: &str = "----boundary";

fn part(head: &str, content: &str) -> String {
    format!("--{BOUNDARY}\r\n{head}\r\n\r\n{content}\r\n")
}

fn metadata(content: &str) -> String {
    part("Content-Disposition: form-data; name=\"metadata\"", content)
}

fn module(name: &str, content: &str) -> String {
    part(
        &format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
             Content-Type: application/javascript+module"
        ),
        content,
    )
}

fn closed(parts: &[String]) -> String {
    format!("{}--{BOUNDARY}--\r\n", parts.concat())
}

const GOOD: &str = r#"{"main_module": "index.js", "compatibility_date": "2026-10-19"}"#;
const CODE: &str = "export default { fetch() { return new Response('hostile'); } };";

async fn upload(name: &str, body: impl Into<Body>) -> Result<Answer> {
    let platform = distant().platform;
    let call = platform
        .api(Method::PUT, &platform.script_path(Staging, name))
        .header(
            "Content-Type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(body);
    Answer::read(call.send().await?).await
}

fn code(answer: &Answer) -> u64 {
    answer.json()["errors"][0]["code"].as_u64().unwrap_or_default()
}

#[end_to_end::test]
async fn each_is_refused_with_its_own_code() -> Result<()> {
    let bodies = [
        ("nothing at all", String::new(), 740_130),
        ("no part", closed(&[]), 740_130),
        ("no metadata", closed(&[module("index.js", CODE)]), 740_130),
        (
            "two metadata",
            closed(&[metadata(GOOD), metadata(GOOD), module("index.js", CODE)]),
            740_130,
        ),
        (
            "metadata that is no JSON",
            closed(&[metadata("{\"main_module\": "), module("index.js", CODE)]),
            740_130,
        ),
        (
            "metadata that is no object",
            closed(&[metadata("[1]"), module("index.js", CODE)]),
            740_130,
        ),
        (
            "bindings as an object",
            closed(&[
                metadata(r#"{"main_module": "index.js", "bindings": {"A": "b"}}"#),
                module("index.js", CODE),
            ]),
            740_130,
        ),
        (
            "a module that leaves its folder",
            closed(&[metadata(GOOD), module("index.js", CODE), module("../x", CODE)]),
            740_133,
        ),
        (
            "a module with an absolute name",
            closed(&[
                metadata(GOOD),
                module("index.js", CODE),
                module("/etc/passwd", CODE),
            ]),
            740_133,
        ),
        (
            "a module twice",
            closed(&[metadata(GOOD), module("index.js", CODE), module("index.js", CODE)]),
            740_133,
        ),
        (
            "a main module that is missing",
            closed(&[metadata(GOOD), module("other.js", CODE)]),
            740_130,
        ),
        (
            "no end",
            [metadata(GOOD), module("index.js", CODE)].concat(),
            740_130,
        ),
        (
            "another boundary",
            closed(&[metadata(GOOD), module("index.js", CODE)]).replace(BOUNDARY, "----other"),
            740_130,
        ),
        (
            "10,000 parts",
            closed(
                &std::iter::once(metadata(GOOD))
                    .chain((0..10_000).map(|number| module(&format!("{number}.js"), "")))
                    .collect::<Vec<_>>(),
            ),
            740_132,
        ),
        (
            "a part with an endless head",
            closed(&[metadata(GOOD), part(&format!("X: {}", "a".repeat(100_000)), CODE)]),
            740_130,
        ),
    ];
    for (what, body, expected) in bodies {
        let answer = upload("malformed", body).await?;
        assert!(answer.status.is_client_error(), "{what}: {}", answer.text());
        assert_eq!(code(&answer), expected, "{what}: {}", answer.text());
    }
    let changes: Vec<_> = distant()
        .relay
        .requests("/scripts/malformed")
        .into_iter()
        .filter(|request| request.method != "GET")
        .collect();
    assert_eq!(changes, []);
    Ok(())
}

#[end_to_end::test]
async fn a_part_that_never_ends_is_cut_off() -> Result<()> {
    let begin = metadata(GOOD)
        + &format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n");
    let block = Bytes::from(vec![b'a'; 1024 * 1024]);
    let endless = stream::once(async move { Bytes::from(begin) })
        .chain(stream::repeat(block))
        .map(Ok::<_, std::io::Error>);
    let platform = distant().platform;
    let call = platform
        .api(Method::PUT, &platform.script_path(Staging, "endless"))
        .header(
            "Content-Type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(Body::wrap_stream(endless));
    // The server answers before it has read all, so that either its answer is seen, or that it hangs up.
    if let Ok(answer) = call.send().await {
        assert_eq!(answer.status(), 413);
    }
    // And it still serves.
    let after = upload("endless", closed(&[metadata(GOOD), module("index.js", CODE)])).await?;
    assert_eq!(after.status, 200, "{}", after.text());
    Ok(())
}

#[end_to_end::test]
async fn another_content_type_is_no_upload() -> Result<()> {
    let platform = distant().platform;
    for content_type in [
        "application/json",
        "multipart/form-data",
        "text/plain; boundary=x",
    ] {
        let call = platform
            .api(Method::PUT, &platform.script_path(Staging, "untyped"))
            .header("Content-Type", content_type)
            .body(closed(&[metadata(GOOD), module("index.js", CODE)]));
        let answer = Answer::read(call.send().await?).await?;
        assert_eq!(code(&answer), 740_130, "{content_type}: {}", answer.text());
    }
    Ok(())
}

#[end_to_end::test]
async fn an_upload_that_breaks_off_deploys_nothing() -> Result<()> {
    use tokio::io::AsyncWriteExt;

    let distant = distant();
    let body = closed(&[metadata(GOOD), module("index.js", CODE)]);
    let half = body.get(..body.len() / 2).context("half of it")?;
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", distant.platform.port())).await?;
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        distant.platform.script_path(Staging, "half"),
        distant.platform.port(),
        distant.platform.token(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(half.as_bytes()).await?;
    drop(stream);
    let after = upload("half", body.clone()).await?;
    assert_eq!(after.status, 200, "{}", after.text());
    let deployments = distant.platform.deploy_api().deployments(Staging, "half").await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    Ok(())
}
