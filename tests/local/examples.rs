//! Each example is deployed with stock wrangler to two environments, as its README says, and used.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use end_to_end::{
    Platform, repository,
    wrangler::{self, Version},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use crate::wrangler_deploys::copy;

/// A copy of an example in a separate folder. Its packages are those of the repository.
fn example(name: &str) -> Result<TempDir> {
    let folder = TempDir::with_prefix("dotdo-example-")?;
    copy(&repository().join("examples").join(name), folder.path())?;
    symlink(
        repository().join("node_modules"),
        folder.path().join("node_modules"),
    )?;
    Ok(folder)
}

/// Runs wrangler, and fails with its output.
async fn run(platform: &Platform, folder: &Path, arguments: &[&str]) -> Result<()> {
    let run = wrangler::run(platform, Version::V4_152, folder, arguments).await?;
    ensure!(run.succeeded, "{arguments:?}: {}", run.output);
    Ok(())
}

/// Runs a command of wrangler that changes the data of the account.
async fn seed(platform: &Platform, folder: &Path, arguments: &[&str]) -> Result<()> {
    let base_url = platform.account_base_url();
    let run = wrangler::Call::new(platform, Version::V4_152, folder)
        .at(&base_url)
        .run(arguments)
        .await?;
    ensure!(run.succeeded, "{arguments:?}: {}", run.output);
    Ok(())
}

/// The response of a user Worker as JSON, whose status must be this one.
async fn json_of(
    platform: &Platform,
    method: Method,
    host: &str,
    path: &str,
    body: Option<Value>,
    status: StatusCode,
) -> Result<Value> {
    let mut request = platform.request(method, host, path);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await?;
    let found = response.status();
    let text = response.text().await?;
    ensure!(found == status, "{host}{path}: {found} {text}");
    Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[end_to_end::test]
async fn the_api_with_kv_and_d1() -> Result<()> {
    let platform = Platform::shared();
    let folder = example("notes")?;
    seed(
        platform,
        folder.path(),
        &["d1", "migrations", "apply", "notes", "--remote"],
    )
    .await?;
    seed(
        platform,
        folder.path(),
        &[
            "d1",
            "migrations",
            "apply",
            "notes-staging",
            "--remote",
            "--env",
            "staging",
        ],
    )
    .await?;
    run(
        platform,
        folder.path(),
        &["deploy", "--dispatch-namespace", "dotdo-production"],
    )
    .await?;
    run(
        platform,
        folder.path(),
        &[
            "deploy",
            "--dispatch-namespace",
            "dotdo-staging",
            "--env",
            "staging",
        ],
    )
    .await?;

    let (host, staging) = ("notes.do", "staging.notes.do");
    let created = json_of(
        platform,
        Method::POST,
        host,
        "/notes",
        Some(json!({ "text": "Buy milk" })),
        StatusCode::CREATED,
    )
    .await?;
    assert_eq!(created["text"], "Buy milk");
    let path = format!("/notes/{}", created["id"]);
    for expected in ["MISS", "HIT"] {
        let answer = platform.get(host, &path).await?;
        assert_eq!(answer.header("x-cache"), expected);
        assert_eq!(answer.json(), created);
    }
    let all = json_of(platform, Method::GET, host, "/notes", None, StatusCode::OK).await?;
    assert_eq!(all, json!([created]));
    // The other environment has its own database and its own cache.
    let other = json_of(platform, Method::GET, staging, "/notes", None, StatusCode::OK).await?;
    assert_eq!(other, json!([]));
    json_of(platform, Method::GET, staging, &path, None, StatusCode::NOT_FOUND).await?;

    json_of(
        platform,
        Method::DELETE,
        host,
        &path,
        None,
        StatusCode::NO_CONTENT,
    )
    .await?;
    json_of(platform, Method::GET, host, &path, None, StatusCode::NOT_FOUND).await?;
    let refused = json_of(
        platform,
        Method::POST,
        host,
        "/notes",
        Some(json!({ "text": 1 })),
        StatusCode::BAD_REQUEST,
    )
    .await?;
    assert!(
        refused["error"].as_str().unwrap_or_default().contains("Send"),
        "{refused}"
    );
    Ok(())
}

#[end_to_end::test]
async fn the_file_server_on_r2() -> Result<()> {
    let platform = Platform::shared();
    let folder = example("files")?;
    fs::write(folder.path().join(".secrets"), "UPLOAD_TOKEN=choose-one\n")?;
    for (namespace, environment) in [("dotdo-production", None), ("dotdo-staging", Some("staging"))] {
        let mut arguments = vec![
            "deploy",
            "--dispatch-namespace",
            namespace,
            "--secrets-file",
            ".secrets",
        ];
        arguments.extend(environment.iter().flat_map(|name| ["--env", *name]));
        run(platform, folder.path(), &arguments).await?;
    }
    let (host, staging) = ("files.do", "staging.files.do");
    let put = |token: &'static str| {
        platform
            .request(Method::PUT, host, "/docs/hello.txt")
            .bearer_auth(token)
            .header("Content-Type", "text/plain")
            .body("Hello, world")
            .send()
    };
    assert_eq!(put("wrong").await?.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(put("choose-one").await?.status(), StatusCode::CREATED);

    let answer = platform.get(host, "/docs/hello.txt").await?;
    assert_eq!(answer.text(), "Hello, world");
    assert_eq!(answer.header("content-type"), "text/plain");
    let etag = answer.header("etag").to_owned();
    let with = |name: &'static str, value: String| {
        platform
            .request(Method::GET, host, "/docs/hello.txt")
            .header(name, value)
            .send()
    };
    let part = with("Range", "bytes=7-".to_owned()).await?;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    let range = part.headers().get("content-range").context("no Content-Range")?;
    assert_eq!(range, "bytes 7-11/12");
    assert_eq!(part.text().await?, "world");
    assert_eq!(
        with("If-None-Match", etag).await?.status(),
        StatusCode::NOT_MODIFIED
    );

    // A file of wrangler is in the same bucket, and the other environment has another one.
    fs::write(folder.path().join("logo.svg"), "<svg/>")?;
    let object = [
        "r2",
        "object",
        "put",
        "files/logo.svg",
        "--file",
        "logo.svg",
        "--remote",
    ];
    seed(platform, folder.path(), &object).await?;
    assert_eq!(platform.get(host, "/logo.svg").await?.text(), "<svg/>");
    let list = platform.get(host, "/").await?.json();
    assert_eq!(list.as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(platform.get(staging, "/").await?.json(), json!([]));

    let delete = platform
        .request(Method::DELETE, host, "/docs/hello.txt")
        .bearer_auth("choose-one");
    assert_eq!(delete.send().await?.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        platform.get(host, "/docs/hello.txt").await?.status,
        StatusCode::NOT_FOUND
    );
    Ok(())
}

#[end_to_end::test]
async fn the_chat_with_web_sockets_and_alarms() -> Result<()> {
    let platform = Platform::shared();
    let folder = example("chat")?;
    for namespace in ["dotdo-production", "dotdo-staging"] {
        // The history ends when the test has read it.
        let arguments = [
            "deploy",
            "--dispatch-namespace",
            namespace,
            "--var",
            "HISTORY_SECONDS:8",
        ];
        run(platform, folder.path(), &arguments).await?;
    }
    let page = platform.get("chat.do", "/").await?;
    assert!(page.text().contains("<title>Chat</title>"), "{}", page.text());
    assert_eq!(
        platform.get("chat.do", "/rooms/lobby").await?.status,
        StatusCode::UPGRADE_REQUIRED
    );

    let enter = async |host: &'static str| -> Result<_> {
        Ok(platform.web_socket(host, "/rooms/lobby", &[]).await?.0)
    };
    let (mut first, mut second) = (enter("chat.do").await?, enter("chat.do").await?);
    let mut other = enter("staging.chat.do").await?;
    first.send(Message::text("Hello")).await?;
    for socket in [&mut first, &mut second] {
        assert_eq!(text(socket.next().await)?, "Hello");
    }
    // Who enters later gets the history.
    let mut late = enter("chat.do").await?;
    assert_eq!(text(late.next().await)?, "Hello");
    // The room of the other environment has none of it.
    other.send(Message::text("Staging")).await?;
    assert_eq!(text(other.next().await)?, "Staging");
    // The alarm deletes the history.
    assert_eq!(text(second.next().await)?, "The messages of lobby were deleted.");
    let mut later = enter("chat.do").await?;
    later.send(Message::text("New")).await?;
    assert_eq!(text(later.next().await)?, "New");
    Ok(())
}

fn text(message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) -> Result<String> {
    let message = message.context("the WebSocket ended")??;
    Ok(message.into_text()?.as_str().to_owned())
}

#[end_to_end::test]
async fn the_single_page_application_with_a_worker() -> Result<()> {
    let platform = Platform::shared();
    let folder = example("spa")?;
    for (namespace, environment) in [("dotdo-production", None), ("dotdo-staging", Some("staging"))] {
        let mut arguments = vec!["deploy", "--dispatch-namespace", namespace];
        arguments.extend(environment.iter().flat_map(|name| ["--env", *name]));
        run(platform, folder.path(), &arguments).await?;
    }
    for (host, expected) in [
        ("spa.do", "Hello, Ada!"),
        ("staging.spa.do", "Hello from staging, Ada!"),
    ] {
        for path in ["/", "/people/Ada"] {
            let page = platform.get(host, path).await?;
            assert!(
                page.text().contains("<title>Greetings</title>"),
                "{}",
                page.text()
            );
        }
        let script = platform.get(host, "/app.js").await?;
        assert!(script.header("content-type").contains("javascript"));
        let answer = platform.get(host, "/api/greeting?name=Ada").await?;
        assert_eq!(answer.json(), json!({ "greeting": expected }));
        assert_eq!(
            platform.get(host, "/api/other").await?.status,
            StatusCode::NOT_FOUND
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn the_queue_with_a_producer_in_a_namespace_and_a_consumer_of_the_account() -> Result<()> {
    let platform = Platform::shared();
    let folder = example("queue")?;
    let queues = format!("/client/v4/accounts/{}/queues", platform.account());
    for (namespace, queue, environment) in [
        ("dotdo-production", "orders", None),
        ("dotdo-staging", "orders-staging", Some("staging")),
    ] {
        for name in [queue.to_owned(), format!("{queue}-dead")] {
            let create = platform
                .api(Method::POST, &queues)
                .json(&json!({ "queue_name": name }));
            ensure!(create.send().await?.status() == StatusCode::OK, "{name}");
        }
        let with = |arguments: &[&'static str]| {
            let selected = environment.iter().flat_map(|name| ["--env", *name]);
            arguments.iter().copied().chain(selected).collect::<Vec<_>>()
        };
        seed(
            platform,
            folder.path(),
            &with(&["deploy", "--config", "consumer.jsonc"]),
        )
        .await?;
        run(
            platform,
            folder.path(),
            &with(&["deploy", "--dispatch-namespace", namespace]),
        )
        .await?;
    }
    let order = async |host: &'static str, quantity: i32| -> Result<String> {
        let body = json!({ "item": "book", "quantity": quantity });
        let accepted = json_of(
            platform,
            Method::POST,
            host,
            "/",
            Some(body),
            StatusCode::ACCEPTED,
        )
        .await?;
        Ok(format!("/{}", accepted["id"].as_str().context("no id")?))
    };
    let (host, staging) = ("orders.do", "staging.orders.do");
    let orders = [
        (host, order(host, 2).await?, "processed"),
        (host, order(host, 0).await?, "failed"),
        (staging, order(staging, 1).await?, "processed"),
    ];
    for (host, path, expected) in &orders {
        loop {
            let found = platform.get(host, path).await?.json();
            if found["state"] != "waiting" {
                assert_eq!(found["state"], *expected, "{found}");
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let [(_, path, _), ..] = &orders;
    assert_eq!(platform.get(staging, path).await?.status, StatusCode::NOT_FOUND);
    Ok(())
}

#[end_to_end::test]
async fn every_example_has_a_test() -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(repository().join("examples"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(
        names,
        ["chat", "files", "hello", "notes", "queue", "services", "spa"]
    );
    Ok(())
}
