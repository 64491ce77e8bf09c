//! Calls of the REST API, and Cloudflare's envelope of its responses.

use anyhow::{Context, Result, ensure};
use end_to_end::{Answer, Platform};
use reqwest::Method;
use serde_json::{Value, json};

/// Makes a call with an optional JSON body. `path` is relative to the account's path.
pub async fn call(platform: &Platform, method: Method, path: &str, body: Option<Value>) -> Result<Answer> {
    let path = format!("/client/v4/accounts/{}{path}", platform.account());
    let request = platform.api(method, &path);
    let request = match body {
        None => request,
        Some(body) => request.json(&body),
    };
    Answer::read(request.send().await?).await
}

/// The `result` of a successful response.
///
/// # Errors
/// When the response is an error, or its envelope has another form.
pub fn result(answer: &Answer) -> Result<Value> {
    let envelope = answer.json();
    ensure!(answer.status == 200, "{}: {envelope}", answer.status);
    ensure!(envelope["success"] == true, "{envelope}");
    for list in ["errors", "messages"] {
        ensure!(envelope[list] == json!([]), "{envelope}");
    }
    envelope
        .get("result")
        .cloned()
        .context("the response has no result")
}

/// The code and the message of an error response.
///
/// # Errors
/// When the response is successful, or its envelope has another form.
pub fn error(answer: &Answer) -> Result<(u64, String)> {
    let envelope = answer.json();
    ensure!(answer.status.is_client_error(), "{}: {envelope}", answer.status);
    ensure!(
        envelope["success"] == false && envelope["result"].is_null(),
        "{envelope}"
    );
    ensure!(envelope["messages"] == json!([]), "{envelope}");
    let error = &envelope["errors"][0];
    let code = error["code"].as_u64().context("the error has no code")?;
    let message = error["message"]
        .as_str()
        .context("the error has no message")?
        .to_owned();
    Ok((code, message))
}
