//! The logs of Workers: events of requests, console lines and exceptions, and failures of the dispatch Worker.

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::{self, Development, Production, Staging};
use end_to_end::{Answer, Project, Script, until, worker_path, wrangler::Version};
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    platforms::{host, platform, served},
    readers::reader,
};

/// Writes to the console, and throws for the path `/fail`.
const TALKATIVE: &str = "export default { fetch(request) {
    const { pathname } = new URL(request.url);
    console.debug('debugged');
    console.log('served', pathname, { id: 7 });
    if (pathname === '/fail') { console.error('about to fail'); throw new TypeError('no such product'); }
    return new Response('ok', { status: 201 });
} };";

/// The path of the log of a Worker, with a query.
fn log(environment: Environment, worker: &str, query: &str) -> String {
    format!("{}/logs?{query}", worker_path(environment, worker))
}

/// Waits until a page of a log has this many events, and returns them.
async fn events(environment: Environment, worker: &str, query: &str, count: usize) -> Result<Vec<Value>> {
    let path = log(environment, worker, query);
    until(&format!("{count} events in {path}"), async || {
        let page = platform().deploy_api().get(&path).await?;
        let items = page["items"].as_array().context("a page has no items")?;
        Ok((items.len() >= count).then(|| items.clone()))
    })
    .await
}

/// Sends a request to the staging namespace, with this request id.
async fn visit(worker: &str, path: &str, ray: &str) -> Result<Answer> {
    let request = platform().request(Method::GET, &host(Staging, worker), path);
    Answer::read(request.header("cf-ray", ray).send().await?).await
}

#[end_to_end::test]
async fn the_id_on_an_error_page_finds_the_exception() -> Result<()> {
    let platform = platform();
    let project = Project::new("talking")?.file("index.js", TALKATIVE)?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let deployments = platform.deploy_api().deployments(Staging, "talking").await?;

    let page = platform
        .request(Method::GET, &host(Staging, "talking"), "/fail?token=hunter2")
        .header("Accept", "text/html")
        .header("Authorization", "hunter2")
        .send()
        .await?;
    assert_eq!(page.status(), 502);
    let id = page.headers()["x-request-id"].to_str()?.to_owned();
    assert!(page.text().await?.contains(&id));

    let found = events(Staging, "talking", &format!("request_id={id}"), 2).await?;
    assert_eq!(found.len(), 2, "the runtime and the dispatch Worker: {found:#?}");
    let of = |source: &str| found.iter().find(|event| event["source"] == source);
    let thrown = of("worker").context("no event of the Worker")?;
    for (member, expected) in [
        ("namespace", json!(Staging.namespace())),
        ("worker", json!("talking")),
        ("trigger", json!("request")),
        ("outcome", json!("exception")),
        ("method", json!("GET")),
        ("host", json!(host(Staging, "talking"))),
        ("path", json!("/fail")),
        ("deployment", deployments[0]["id"].clone()),
        ("cpu_ms", Value::Null),
        ("omitted", json!(0)),
    ] {
        assert_eq!(thrown[member], expected, "{member}: {thrown:#}");
    }
    assert!(
        thrown["wall_ms"].is_u64() && thrown["version"].is_string(),
        "{thrown:#}"
    );
    let exception = &thrown["exceptions"][0];
    assert_eq!(exception["name"], "TypeError");
    assert_eq!(exception["message"], "no such product");
    assert!(
        exception["stack"]
            .as_str()
            .is_some_and(|stack| stack.contains("index.js")),
        "{exception:#}"
    );
    let lines: Vec<_> = thrown["lines"]
        .as_array()
        .context("no lines")?
        .iter()
        .map(|line| {
            (
                line["level"].as_str().unwrap_or_default(),
                line["text"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("debug", "debugged"),
            ("log", "served /fail {\"id\":7}"),
            ("error", "about to fail"),
        ]
    );
    let answered = of("dispatcher").context("no event of the dispatch Worker")?;
    assert_eq!(answered["code"], "WORKER_FAILED");
    assert_eq!(answered["status"], 502);
    assert_eq!(answered["path"], "/fail");
    let text = json!(found).to_string();
    assert!(!text.contains("hunter2"), "{text}");

    for line in ["served /fail { id: 7 }", "about to fail"] {
        let shown = until("the line in the terminal", async || {
            let output = platform.log().text()?;
            Ok(output
                .lines()
                .find(|shown| shown.contains(line) && shown.contains(&id))
                .map(str::to_owned))
        });
        let shown = shown.await?;
        assert!(
            shown.starts_with(&format!("[dotdo-staging/talking {id}] ")),
            "{shown}"
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn a_log_is_filtered_and_read_page_by_page() -> Result<()> {
    platform()
        .deploy(Staging, "logged", &Script::module(TALKATIVE))
        .await?;
    for number in 0..7 {
        let answer = visit("logged", &format!("/{number}"), &format!("paged-{number}")).await?;
        assert_eq!(answer.status, 201);
    }
    visit("logged", "/fail", "paged-fail").await?;
    // The failure of the dispatch Worker as well.
    let all = events(Staging, "logged", "", 9).await?;
    assert_eq!(all.len(), 9);
    let of_worker = all.iter().filter(|event| event["source"] == "worker");
    let times: Vec<_> = of_worker.map(|event| event["time"].as_str()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");

    let api = platform().deploy_api();
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api
            .get(&log(Staging, "logged", &format!("limit=2{cursor}")))
            .await?;
        let items = page["items"].as_array().context("no items")?;
        assert!(!items.is_empty() && items.len() <= 2, "{page:#}");
        paged.extend(items.clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);

    for (query, count) in [
        ("level=error", 2),
        ("level=error&search=NO%20SUCH", 2),
        ("search=served%20/3", 1),
        ("request_id=paged-5", 1),
        ("since=1h", 9),
        ("until=1h", 0),
        ("since=2999-01-01", 0),
    ] {
        let found = api.get(&log(Staging, "logged", query)).await?;
        assert_eq!(
            found["items"].as_array().map(Vec::len),
            Some(count),
            "{query}: {found:#}"
        );
    }
    let other = api.get(&log(Production, "logged", "")).await?;
    assert_eq!(other["items"], json!([]), "the log of another namespace");
    assert_eq!(other["dropped"], json!({ "events": 0, "last": null }));
    for query in [
        "level=notice",
        "search=",
        "since=soon",
        "limit=0",
        "cursor=1-2",
        "after=1-2",
        "follow=maybe",
    ] {
        let answer = api
            .send(Method::GET, &log(Staging, "logged", query), None)
            .await?;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert_eq!(answer.json()["code"], "PARAMETER_INVALID", "{query}");
    }
    Ok(())
}

#[end_to_end::test]
async fn requests_for_a_worker_that_is_not_deployed_are_in_its_log() -> Result<()> {
    for ray in ["absent-1", "absent-2"] {
        assert_eq!(visit("absentee", "/x?y", ray).await?.status, 404);
    }
    assert_eq!(visit("another-absentee", "/", "absent-3").await?.status, 404);
    let found = events(Staging, "absentee", "", 2).await?;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(found[0]["code"], "WORKER_NOT_DEPLOYED");
    assert_eq!(found[0]["source"], "dispatcher");
    assert_eq!(found[0]["path"], "/x");

    platform()
        .deploy(Staging, "absentee", &Script::module(TALKATIVE))
        .await?;
    visit("absentee", "/now", "absent-4").await?;
    let found = events(Staging, "absentee", "", 3).await?;
    assert_eq!(found[0]["path"], "/now", "{found:#?}");
    assert_eq!(found[0]["source"], "worker");
    Ok(())
}

/// Reads server-sent events until one has this text, and returns what came.
async fn read_until(
    chunks: &mut (impl StreamExt<Item = reqwest::Result<bytes::Bytes>> + Unpin),
    text: &str,
) -> Result<String> {
    let mut received = String::new();
    while !received.contains(text) || !received.ends_with("\n\n") {
        let chunk = chunks.next().await.context("the stream ended")??;
        received.push_str(&String::from_utf8_lossy(&chunk));
    }
    Ok(received)
}

/// The ids and the events of server-sent events of the type `log`.
fn logged(text: &str) -> Result<Vec<(String, Value)>> {
    text.split("\n\n")
        .filter(|event| event.contains("event: log\n"))
        .map(|event| {
            let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
            let data = line("data: ").context("an event has no data")?;
            let id = line("id: ").context("an event has no id")?;
            Ok((id.to_owned(), serde_json::from_str(data)?))
        })
        .collect()
}

#[end_to_end::test]
async fn a_log_is_followed_and_continued() -> Result<()> {
    let platform = platform();
    platform
        .deploy(Staging, "followed", &Script::module(TALKATIVE))
        .await?;
    visit("followed", "/before", "followed-1").await?;
    events(Staging, "followed", "", 1).await?;
    let follow = async |query: &str| -> Result<_> {
        let path = log(Staging, "followed", &format!("follow=true{query}"));
        let response = platform.deploy_api().request(Method::GET, &path).send().await?;
        ensure!(response.status() == 200, "{}", response.text().await?);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Ok(response.bytes_stream())
    };
    let mut now = follow("").await?;
    read_until(&mut now, ": events follow").await?;
    let mut since = follow("&since=1h&level=log").await?;
    let backlog = logged(&read_until(&mut since, "/before").await?)?;
    assert_eq!(backlog.len(), 1);

    visit("followed", "/after", "followed-2").await?;
    for stream in [&mut now, &mut since] {
        let new = logged(&read_until(stream, "/after").await?)?;
        assert_eq!(new.len(), 1, "{new:#?}");
        assert_eq!(new[0].1["request_id"], "followed-2");
    }
    visit("followed", "/fail", "followed-3").await?;
    let failed = logged(&read_until(&mut now, "WORKER_FAILED").await?)?;
    assert!(
        failed
            .iter()
            .any(|(_, event)| event["exceptions"][0]["message"] == "no such product")
    );

    let first = &backlog[0].0;
    let mut continued = follow(&format!("&after={first}")).await?;
    let rest = logged(&read_until(&mut continued, "WORKER_FAILED").await?)?;
    assert_eq!(rest[0].1["path"], "/after", "{rest:#?}");
    let refused = log(Staging, "followed", "follow=true&cursor=x");
    let refused = platform.deploy_api().send(Method::GET, &refused, None).await?;
    assert_eq!(refused.json()["code"], "PARAMETER_INVALID", "{}", refused.text());
    Ok(())
}

#[end_to_end::test]
async fn reading_a_log_needs_its_own_permission() -> Result<()> {
    let platform = platform();
    for (subject, actions, status) in [
        ("log-reader", json!(["logs"]), 200),
        ("settings-reader", json!(["read", "deploy"]), 403),
    ] {
        let token = reader(subject, &json!(["logged-*"]), &actions).await?;
        for query in ["", "follow=true"] {
            let reader = platform.deploy_api_as(&token);
            let call = reader.request(Method::GET, &log(Development, "logged-a", query));
            assert_eq!(call.send().await?.status(), status, "{subject}: {query}");
            let call = reader.request(Method::GET, &log(Staging, "logged-a", query));
            assert_eq!(call.send().await?.status(), 403, "{subject}: {query}");
        }
    }
    Ok(())
}

#[end_to_end::test]
async fn the_tail_consumer_is_on_every_upload_and_shown_nowhere() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let path = worker_path(Staging, "consumed");
    platform
        .deploy(Staging, "consumed", &Script::module(TALKATIVE))
        .await?;
    platform
        .deploy(Staging, "consumed", &Script::answering("2"))
        .await?;
    api.post(&format!("{path}/rollback"), &json!({})).await?;
    visit("consumed", "/rolled-back", "consumed-1").await?;
    events(Staging, "consumed", "request_id=consumed-1", 1).await?;

    let to = json!({ "to": Development.namespace() });
    let preview = api.post(&format!("{path}/promote?dry_run=true"), &to).await?;
    assert!(!preview.to_string().contains("tail_consumers"), "{preview:#}");
    api.post(&format!("{path}/promote"), &to).await?;
    let preview = api.post(&format!("{path}/promote?dry_run=true"), &to).await?;
    assert!(!preview.to_string().contains("tail_consumers"), "{preview:#}");
    served(platform, Development, "consumed").await?;
    events(Development, "consumed", "", 1).await?;

    let verified = api.post(&format!("{path}/verify"), &json!({})).await?;
    assert_eq!(verified["drift"], Value::Null, "{verified:#}");
    let settings = format!("{}/settings", platform.script_path(Staging, "consumed"));
    let settings = Answer::read(platform.api(Method::GET, &settings).send().await?)
        .await?
        .json();
    assert_eq!(settings["result"]["tail_consumers"], json!([]), "{settings:#}");
    Ok(())
}

#[end_to_end::test]
async fn no_event_of_many_at_once_is_lost() -> Result<()> {
    const REQUESTS: usize = 600;
    platform()
        .deploy(Development, "flooded", &Script::module(TALKATIVE))
        .await?;
    let host = host(Development, "flooded");
    let host = &host;
    let answers =
        stream::iter(0..REQUESTS).map(async |number| platform().get(host, &format!("/{number}")).await);
    let answers: Vec<_> = answers.buffer_unordered(20).collect().await;
    for answer in answers {
        assert_eq!(answer?.status, 201);
    }
    let found = events(Development, "flooded", "limit=1000", REQUESTS).await?;
    let mut paths: Vec<_> = found.iter().map(|event| event["path"].to_string()).collect();
    paths.sort();
    paths.dedup();
    assert_eq!((found.len(), paths.len()), (REQUESTS, REQUESTS));
    let page = platform()
        .deploy_api()
        .get(&log(Development, "flooded", "limit=1"))
        .await?;
    assert_eq!(page["dropped"]["events"], 0);
    Ok(())
}
