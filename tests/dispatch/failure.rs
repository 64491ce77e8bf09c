//! Checks that apply to every error of the dispatch Worker.

use anyhow::{Result, ensure};
use end_to_end::{Answer, Platform};
use reqwest::Method;
use serde_json::Value;

/// The `Accept` header of Chromium when a user opens a page.
pub const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/// A text in the errors of the user Workers, which no response may contain.
pub const SECRET: &str = "hunter2";

/// Sends a request as a program, as a browser and with the method HEAD, and checks that each gets the same error.
/// Returns the problem document.
pub async fn expect(platform: &Platform, host: &str, path: &str, status: u16, code: &str) -> Result<Value> {
    let request = |method, accept| platform.request(method, host, path).header("Accept", accept);

    let problem = Answer::read(request(Method::GET, "*/*").send().await?).await?;
    check(&problem, status, code, "application/problem+json")?;
    let document = problem.json();
    for (member, value) in [("status", Value::from(status)), ("code", Value::from(code))] {
        ensure!(document[member] == value, "{host}{path}: {document}");
    }
    let anchor = format!("/docs/errors.md#{}", code.to_ascii_lowercase());
    ensure!(text(&document, "type").ends_with(&anchor), "{document}");
    for member in ["title", "detail", "fix", "request_id"] {
        ensure!(!text(&document, member).is_empty(), "no {member}: {document}");
    }

    let page = Answer::read(request(Method::GET, BROWSER).send().await?).await?;
    check(&page, status, code, "text/html; charset=utf-8")?;
    let html = page.text();
    for expected in ["<!doctype html>", code, text(&document, "title")] {
        ensure!(html.contains(expected), "no {expected:?} in {html}");
    }

    let headers = Answer::read(request(Method::HEAD, "*/*").send().await?).await?;
    check(&headers, status, code, "application/problem+json")?;
    ensure!(headers.body.is_empty(), "HEAD has a body: {}", headers.text());
    Ok(document)
}

/// Checks the status and the headers of an error, and that the response does not contain [`SECRET`].
pub fn check(answer: &Answer, status: u16, code: &str, content_type: &str) -> Result<()> {
    let text = answer.text();
    ensure!(answer.status.as_u16() == status, "{} {text}", answer.status);
    for (name, value) in [
        ("x-dispatch-error", code),
        ("content-type", content_type),
        ("cache-control", "no-store"),
    ] {
        ensure!(answer.header(name) == value, "{name}: {:?}", answer.headers);
    }
    let has_retry_after = !answer.header("retry-after").is_empty();
    ensure!(
        has_retry_after == (status == 503),
        "Retry-After: {:?}",
        answer.headers
    );
    ensure!(
        !text.contains(SECRET),
        "the body contains the Worker's error: {text}"
    );
    let shown = format!("{:?}", answer.headers);
    ensure!(
        !shown.contains(SECRET),
        "a header contains the Worker's error: {shown}"
    );
    Ok(())
}

fn text<'a>(document: &'a Value, member: &str) -> &'a str {
    document.get(member).and_then(Value::as_str).unwrap_or_default()
}
