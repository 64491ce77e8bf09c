//! Requests that a web page elsewhere sends to a developer's machine: they change nothing and read nothing.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Script};
use reqwest::Method;
use serde_json::json;

use crate::platforms::{platform, put, text};

const WORKER: &str = "not-for-pages";

#[end_to_end::test]
async fn a_page_of_another_origin_changes_nothing_and_reads_nothing() -> Result<()> {
    let platform = platform();
    let script = Script::answering("mine");
    assert_eq!(put(platform, WORKER, &script).await?.status, 200);
    let port = platform.port();
    let upload = platform.script_path(Staging, WORKER);
    let worker = format!("/v1/namespaces/{}/workers/{WORKER}", Staging.namespace());
    let lock = format!("{worker}/lock");
    let stolen = json!({ "reason": "from a page" });
    for (host, header, value, statuses) in [
        (
            "localhost",
            "Origin",
            "https://evil.example".to_owned(),
            [403, 403],
        ),
        ("localhost", "Origin", "null".to_owned(), [403, 403]),
        ("localhost", "Sec-Fetch-Site", "cross-site".to_owned(), [403, 403]),
        // Names that a page has made to point to this machine.
        (
            "evil.example",
            "Origin",
            format!("http://evil.example:{port}"),
            [404, 404],
        ),
        ("not-for-pages.localhost", "X-Any", String::new(), [404, 404]),
        (
            "evil.example",
            "MF-Original-URL",
            format!("http://localhost:{port}{worker}"),
            [403, 403],
        ),
        (
            "evil.example",
            "MF-Original-Hostname",
            "localhost".to_owned(),
            [403, 403],
        ),
    ] {
        let bearer = platform.token();
        let write = platform
            .request(Method::PUT, host, &upload)
            .bearer_auth(bearer)
            .header(header, &value)
            .multipart(Script::answering("stolen").to_form());
        let lock = platform
            .request(Method::PUT, host, &lock)
            .bearer_auth(bearer)
            .header(header, &value)
            .json(&stolen);
        let read = platform
            .request(Method::GET, host, &worker)
            .bearer_auth(bearer)
            .header(header, &value);
        for (request, status) in [(write, statuses[0]), (lock, statuses[0]), (read, statuses[1])] {
            let answer = Answer::read(request.send().await?).await?;
            assert_eq!(
                answer.status,
                status,
                "{host} {header}: {value}: {}",
                answer.text()
            );
            assert!(!answer.text().contains("mine"), "{host} {header}: {value}");
        }
    }
    assert_eq!(text(platform, Staging, WORKER).await?, "mine");
    let unlocked = platform.deploy_api().get(&format!("{worker}/lock")).await?;
    assert!(!unlocked.to_string().contains("from a page"), "{unlocked}");
    Ok(())
}
