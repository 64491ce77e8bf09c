//! Uploads that the deploy API rejects before they reach the upstream: malformed ones and too large ones.

use anyhow::{Context, Result};
use bytes::Bytes;
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Project, Script, wrangler::Version};
use futures_util::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Body, Method};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::platforms::{behind_relay, platform, put, served, text};

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
    let platform = behind_relay().platform;
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
async fn rejects_malformed_uploads() -> Result<()> {
    let bodies = [
        ("an empty body", String::new(), 740_130),
        ("no parts", closed(&[]), 740_130),
        ("no metadata", closed(&[module("index.js", CODE)]), 740_130),
        (
            "two metadata parts",
            closed(&[metadata(GOOD), metadata(GOOD), module("index.js", CODE)]),
            740_130,
        ),
        (
            "metadata that is not JSON",
            closed(&[metadata("{\"main_module\": "), module("index.js", CODE)]),
            740_130,
        ),
        (
            "metadata that is not an object",
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
            "a module outside its folder",
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
            "no closing boundary",
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
            "a part with a very long header",
            closed(&[metadata(GOOD), part(&format!("X: {}", "a".repeat(100_000)), CODE)]),
            740_130,
        ),
    ];
    for (what, body, expected) in bodies {
        let answer = upload("malformed", body).await?;
        assert!(answer.status.is_client_error(), "{what}: {}", answer.text());
        assert_eq!(code(&answer), expected, "{what}: {}", answer.text());
    }
    let changes: Vec<_> = behind_relay()
        .relay
        .requests("/scripts/malformed")
        .into_iter()
        .filter(|request| request.method != "GET")
        .collect();
    assert_eq!(changes, []);
    Ok(())
}

#[end_to_end::test]
async fn cuts_off_a_part_that_never_ends() -> Result<()> {
    let begin = metadata(GOOD)
        + &format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n");
    let block = Bytes::from(vec![b'a'; 1024 * 1024]);
    let endless = stream::once(async move { Bytes::from(begin) })
        .chain(stream::repeat(block))
        .map(Ok::<_, std::io::Error>);
    let platform = behind_relay().platform;
    let call = platform
        .api(Method::PUT, &platform.script_path(Staging, "endless"))
        .header(
            "Content-Type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(Body::wrap_stream(endless));
    // The server responds before it has read everything. The client gets the response, a closed connection, or 503 if the platform's port
    // lost the response: a chunked request passes the runtime unchanged, which can close the connection with unread bytes.
    if let Ok(answer) = call.send().await {
        let status = answer.status().as_u16();
        assert!(status == 413 || status == 503, "{status}");
    }
    // The next upload succeeds.
    let after = upload("endless", closed(&[metadata(GOOD), module("index.js", CODE)])).await?;
    assert_eq!(after.status, 200, "{}", after.text());
    Ok(())
}

#[end_to_end::test]
async fn rejects_another_content_type() -> Result<()> {
    let platform = behind_relay().platform;
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
async fn deploys_nothing_for_an_aborted_upload() -> Result<()> {
    let relayed = behind_relay();
    let body = closed(&[metadata(GOOD), module("index.js", CODE)]);
    let half = body.get(..body.len() / 2).context("the body has no half")?;
    let mut stream = TcpStream::connect(("127.0.0.1", relayed.platform.port())).await?;
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        relayed.platform.script_path(Staging, "half"),
        relayed.platform.port(),
        relayed.platform.token(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(half.as_bytes()).await?;
    drop(stream);
    let after = upload("half", body.clone()).await?;
    assert_eq!(after.status, 200, "{}", after.text());
    let deployments = relayed.platform.deploy_api().deployments(Staging, "half").await?;
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    Ok(())
}

/// The response to the rest of an upload, whose token is revoked after the first half.
async fn revoked_meanwhile(name: &str) -> Result<String> {
    let platform = platform();
    let api = platform.deploy_api();
    let grants =
        json!([{ "namespaces": ["dotdo-staging"], "workers": [name], "actions": ["read", "deploy"] }]);
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let request = json!({ "subject": "developer", "grants": grants, "expires": expires.to_string() });
    let created = api.post("/v1/tokens", &request).await?;
    let token = created["token"].as_str().context("the response has no token")?;
    let id = created["id"].as_str().context("the response has no id")?;
    let body = closed(&[metadata(GOOD), module("index.js", CODE)]);
    let (half, rest) = body.split_at(body.len() / 2);
    let mut stream = TcpStream::connect(("127.0.0.1", platform.port())).await?;
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\
         Connection: close\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        platform.script_path(Staging, name),
        platform.port(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(half.as_bytes()).await?;
    stream.flush().await?;
    // The token is valid when the upload begins.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    api.call(Method::DELETE, &format!("/v1/tokens/{id}"), None)
        .await?;
    stream.write_all(rest.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

#[end_to_end::test]
async fn deploys_nothing_if_the_token_is_revoked_during_the_upload() -> Result<()> {
    let response = revoked_meanwhile("revoked").await?;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert_eq!(served(platform(), Staging, "revoked").await?.status, 404);
    let deployments = platform().deploy_api().deployments(Staging, "revoked").await?;
    assert!(deployments.is_empty(), "{deployments:?}");
    Ok(())
}

const MIB: usize = 1024 * 1024;

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(7).fill_bytes(&mut bytes);
    bytes
}

#[end_to_end::test]
async fn rejects_an_upload_over_the_size_limit_with_413() -> Result<()> {
    let platform = platform();
    let project = Project::new("heavy")?.file("blob.bin", noise(11 * MIB))?.file(
        "index.js",
        "import blob from \"./blob.bin\";
            export default { fetch() { return new Response(String(blob.byteLength)); } };",
    )?;
    let run = project
        .wrangler(
            platform,
            Version::V4_152,
            &["deploy", "--dispatch-namespace", Staging.namespace()],
        )
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740131]"), "{}", run.output);
    assert!(run.output.contains("10485760"), "{}", run.output);
    assert_eq!(
        served(platform, Staging, "heavy")
            .await?
            .header("x-dispatch-error"),
        "WORKER_NOT_DEPLOYED"
    );
    let script = Script::answering("x").with_module("blob.bin", "application/octet-stream", noise(11 * MIB));
    let answer = put(platform, "heavy", &script).await?;
    assert_eq!(answer.status, 413, "{}", answer.text());
    Ok(())
}

#[end_to_end::test]
async fn limits_the_compressed_size() -> Result<()> {
    let platform = platform();
    let script = Script::module(
        "import text from \"./long.txt\";
        export default { fetch() { return new Response(String(text.length)); } };",
    )
    .with_module("long.txt", "text/plain", vec![b'a'; 12 * MIB]);
    platform.deploy(Staging, "airy", &script).await?;
    assert_eq!(text(platform, Staging, "airy").await?, (12 * MIB).to_string());
    Ok(())
}
