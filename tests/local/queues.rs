//! Queues: stock wrangler manages them, and no acknowledged message is lost at a power failure.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use end_to_end::{
    Answer, Options, Platform, Project, Script, until,
    wrangler::{Call, Version},
};
use reqwest::Method;
use serde_json::{Value, json};

/// A Worker that sends a message for each path, and whose handler stores the bodies that it gets. `/` returns them. After a request to
/// `/hang`, batches do not end until the runtime does.
const WORKER: &str = "import { DurableObject } from 'cloudflare:workers';
    export class Log extends DurableObject {
        add(bodies) { this.ctx.storage.kv.put('bodies', [...this.all(), ...bodies]); }
        all() { return this.ctx.storage.kv.get('bodies') ?? []; }
    }
    let hangs = false;
    export default {
        async fetch(request, env) {
            const { pathname } = new URL(request.url);
            if (pathname === '/hang') hangs = true;
            else if (pathname !== '/') await env.JOBS.send(pathname);
            return Response.json(await env.LOG.getByName('log').all());
        },
        async queue(batch, env) {
            if (hangs) await scheduler.wait(600_000);
            await env.LOG.getByName('log').add(batch.messages.map(({ body }) => body));
        },
    };";

/// The bodies that the Worker got, as soon as there are as many.
async fn bodies(platform: &Platform, worker: &str, count: usize) -> Result<BTreeSet<String>> {
    loop {
        let answer = platform
            .get(&format!("{worker}.workers.dev.localhost"), "/")
            .await?;
        let found: BTreeSet<String> = serde_json::from_value(answer.json())?;
        if found.len() >= count {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[end_to_end::test]
async fn stock_wrangler_manages_queues_and_deploys_their_consumers() -> Result<()> {
    let platform = Platform::shared();
    let base_url = platform.account_base_url();
    for (version, name) in [(Version::V4_86, "queue-86"), (Version::V4_152, "queue-152")] {
        let queue = format!("{name}-jobs");
        let project = Project::new(name)?
            .file("index.js", WORKER)?
            .setting("workers_dev", json!(true))?
            .setting(
                "durable_objects",
                json!({ "bindings": [{ "name": "LOG", "class_name": "Log" }] }),
            )?
            .setting(
                "migrations",
                json!([{ "tag": "v1", "new_sqlite_classes": ["Log"] }]),
            )?
            .setting(
                "queues",
                json!({
                    "producers": [{ "binding": "JOBS", "queue": queue }],
                    "consumers": [{ "queue": queue, "max_batch_timeout": 0 }],
                }),
            )?;
        let run = async |arguments: &[&str], expected: &str| -> Result<()> {
            let call = Call::new(platform, version, project.folder()).at(&base_url);
            let run = call.run(arguments).await?.success()?;
            ensure!(
                run.output.contains(expected),
                "{version:?} {arguments:?}: {}",
                run.output
            );
            Ok(())
        };
        run(
            &[
                "queues",
                "create",
                &queue,
                "--message-retention-period-secs",
                "3600",
            ],
            &queue,
        )
        .await?;
        run(&["deploy"], &format!("Consumer for {queue}")).await?;
        let host = format!("{name}.workers.dev.localhost");
        platform.get(&host, "/message").await?;
        assert!(bodies(platform, name, 1).await?.contains("/message"));
        run(&["queues", "info", &queue], &format!("Consumers: worker:{name}")).await?;
        run(&["queues", "consumer", "remove", &queue, name], "Removed").await?;
        run(
            &[
                "queues",
                "consumer",
                "add",
                &queue,
                name,
                "--batch-size",
                "5",
                "--message-retries",
                "1",
            ],
            "Added",
        )
        .await?;
        if version == Version::V4_152 {
            run(&["queues", "list"], &queue).await?;
            run(&["queues", "pause-delivery", &queue], "Paused").await?;
            platform.get(&host, "/paused").await?;
            run(&["queues", "purge", &queue, "--force"], "Purged").await?;
            run(
                &["queues", "update", &queue, "--delivery-delay-secs", "1"],
                "Updated",
            )
            .await?;
            run(&["queues", "consumer", "remove", &queue, name], "Removed").await?;
            run(&["queues", "consumer", "http", "add", &queue], "Added").await?;
            run(&["queues", "consumer", "http", "remove", &queue], "Removed").await?;
        }
        run(&["queues", "delete", &queue], "Deleted").await?;
        let call = Call::new(platform, version, project.folder()).at(&base_url);
        let missing = call.run(&["deploy"]).await?.failure()?;
        let advice = format!("wrangler queues create {queue}");
        assert!(missing.output.contains(&advice), "{}", missing.output);
    }
    Ok(())
}

/// Sends JSON to the REST API, which must accept it, and returns the result.
async fn accepted(platform: &Platform, method: Method, path: &str, body: &Value) -> Result<Value> {
    let path = format!("/client/v4/accounts/{}{path}", platform.account());
    let answer = Answer::read(platform.api(method, &path).json(body).send().await?).await?;
    ensure!(
        answer.status == 200,
        "{path}: {} {}",
        answer.status,
        answer.text()
    );
    Ok(answer.json()["result"].clone())
}

/// Deploys the Worker `consumer` of the account with a binding to the queue `jobs`.
async fn deploy_consumer(platform: &Platform, module: &str) -> Result<()> {
    let script = Script::module(module)
        .with_binding(json!({ "type": "queue", "name": "JOBS", "queue_name": "jobs" }))
        .with_binding(json!({ "type": "durable_object_namespace", "name": "LOG", "class_name": "Log" }))
        .with(
            "exports",
            json!({ "Log": { "type": "durable-object", "storage": "sqlite" } }),
        );
    let path = format!(
        "/client/v4/accounts/{}/workers/scripts/consumer",
        platform.account()
    );
    let upload = platform.api(Method::PUT, &path).multipart(script.to_form());
    let answer = Answer::read(upload.send().await?).await?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(())
}

/// Sends messages through a producer until the platform is killed. `sent` gets those that were acknowledged.
async fn send_until_killed(
    client: reqwest::Client,
    origin: String,
    host: String,
    sent: Arc<Mutex<Vec<String>>>,
) {
    for number in 0.. {
        let path = format!("/n{number}");
        let call = client.get(format!("{origin}{path}")).header("Host", &host);
        let Ok(answer) = call.send().await else { return };
        if answer.status() != 200 || answer.bytes().await.is_err() {
            return;
        }
        sent.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    }
}

/// One test, because a start takes seconds.
#[end_to_end::test]
async fn no_acknowledged_message_is_lost_at_a_power_failure_or_by_a_consumer_that_does_not_return()
-> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    accepted(
        &platform,
        Method::POST,
        "/queues",
        &json!({ "queue_name": "jobs" }),
    )
    .await?;
    deploy_consumer(&platform, WORKER).await?;
    accepted(
        &platform,
        Method::POST,
        "/workers/scripts/consumer/subdomain",
        &json!({ "enabled": true }),
    )
    .await?;
    let queues = accepted(&platform, Method::GET, "/queues", &Value::Null).await?;
    let id = queues[0]["queue_id"].as_str().unwrap_or_default();
    let consumer = json!({
        "type": "worker", "script_name": "consumer",
        "settings": { "batch_size": 2, "max_wait_time_ms": 0, "max_concurrency": 2, "max_retries": 0 },
    });
    accepted(
        &platform,
        Method::POST,
        &format!("/queues/{id}/consumers"),
        &consumer,
    )
    .await?;

    // Batches are in delivery at the kill, and other messages wait.
    let host = "consumer.workers.dev.localhost";
    platform.get(host, "/hang").await?;
    let sent = Arc::new(Mutex::new(Vec::new()));
    let sender = tokio::spawn(send_until_killed(
        reqwest::Client::builder().no_proxy().build()?,
        format!("http://127.0.0.1:{}", platform.port()),
        host.to_owned(),
        Arc::clone(&sent),
    ));
    while sent.lock().expect("no test panics").len() < 20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(platform.get(host, "/").await?.json(), json!([]));
    let platform = platform.kill_and_restart();
    sender.await?;
    let sent: BTreeSet<String> = sent.lock().expect("no test panics").iter().cloned().collect();
    let received = bodies(&platform, "consumer", sent.len()).await?;
    assert!(sent.is_subset(&received), "{sent:?} {received:?}");

    let looping = format!("{WORKER}\n").replace("if (hangs) await scheduler.wait(600_000)", "for (;;) {}");
    assert!(looping.contains("for (;;) {}"));
    deploy_consumer(&platform, &looping).await?;
    assert_eq!(platform.get(host, "/looped").await?.status, 200);
    until("the consumer is stopped", async || {
        let log = platform.log().text()?;
        Ok(log
            .contains("@account/consumer was running at two hangs")
            .then_some(()))
    })
    .await?;
    // The message waits for the next deploy, although it has no retry.
    until("the platform serves again", async || {
        Ok(deploy_consumer(&platform, WORKER).await.ok())
    })
    .await?;
    let received = bodies(&platform, "consumer", received.len() + 1).await?;
    assert!(received.contains("/looped"), "{received:?}");
    Ok(())
}
