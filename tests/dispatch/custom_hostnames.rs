//! Custom hostnames, written into the KV namespace as an operator does: with wrangler.

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script, until, wrangler};
use reqwest::Method;

use crate::{failure, platforms};

/// Writes an entry into the platform's KV namespace.
async fn put(platform: &Platform, key: &str, value: &str) -> Result<()> {
    let persisted = platform.state().join("workers");
    let persisted = persisted.to_string_lossy();
    let arguments = [
        "kv",
        "key",
        "put",
        key,
        value,
        "--namespace-id",
        "hostnames",
        "--local",
        "--persist-to",
        &persisted,
    ];
    let run = wrangler::run(platform, wrangler::Version::V4_152, platform.state(), &arguments).await?;
    ensure!(run.succeeded, "wrangler kv key put: {}", run.output);
    Ok(())
}

#[tokio::test]
async fn a_hostname_leads_to_the_worker_of_its_entry() -> Result<()> {
    let platform = platforms::sound();
    for environment in Environment::ALL {
        let script = Script::answering(environment.name());
        platform.deploy(environment, "customs", &script).await?;
    }
    put(platform, "hostname:shop.customer.example", "customs").await?;
    put(platform, "bare.customer.example", "customs").await?;
    put(
        platform,
        "hostname:test.customer.example",
        r#"{"worker": "customs", "environment": "staging", "limits": {"cpu_ms": 7}, "outbound": {"tenant": "c"}}"#,
    )
    .await?;
    for (host, answered) in [
        ("shop.customer.example", "production"),
        ("SHOP.customer.example.:443", "production"),
        ("bare.customer.example", "production"),
        ("test.customer.example", "staging"),
    ] {
        // Once from KV, once from the isolate's memory.
        for _ in 0..2 {
            assert_eq!(platform.get(host, "/x").await?.text(), answered, "{host}");
        }
    }
    let namespace = Environment::Staging.namespace();
    let path = format!("/client/v4/local/dispatches?namespace={namespace}&script=customs");
    let dispatches = Answer::read(platform.api(Method::GET, &path).send().await?)
        .await?
        .json();
    assert_eq!(dispatches["result"][0]["limits"]["cpuMs"], 7, "{dispatches}");
    assert_eq!(dispatches["result"][0]["outbound"]["tenant"], "c", "{dispatches}");
    Ok(())
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_an_error_and_never_production() -> Result<()> {
    let platform = platforms::sound();
    platform
        .deploy(
            Environment::Production,
            "wrongly",
            &Script::answering("production"),
        )
        .await?;
    for (host, value) in [
        (
            "misspelt.customer.example",
            r#"{"worker": "wrongly", "enviroment": "staging"}"#,
        ),
        (
            "unknown.customer.example",
            r#"{"worker": "wrongly", "environment": "qa"}"#,
        ),
        ("invalid.customer.example", "Wrongly!"),
        ("staging.customer.example", "wrongly"),
    ] {
        put(platform, &format!("hostname:{host}"), value).await?;
        let document = failure::expect(platform, host, "/", 500, "CONFIGURATION_INVALID").await?;
        assert!(!document.to_string().contains("wrongly"), "{document}");
        let line = platform
            .log()
            .object(host, |line| line["request_id"] == document["request_id"])
            .await?;
        assert!(
            line["cause"].as_str().unwrap_or_default().contains(host),
            "{line}"
        );
    }
    Ok(())
}

/// For a minute, misses too: no look-up per request.
#[tokio::test]
async fn what_is_known_of_a_hostname_is_kept_for_a_while() -> Result<()> {
    let platform = platforms::sound();
    for worker in ["known-first", "known-later"] {
        platform
            .deploy(Environment::Production, worker, &Script::answering(worker))
            .await?;
    }
    put(platform, "hostname:changes.customer.example", "known-first").await?;
    assert_eq!(
        platform.get("changes.customer.example", "/").await?.text(),
        "known-first"
    );
    let missed = platform.get("appears.customer.example", "/").await?;
    assert_eq!(missed.header("x-dispatch-error"), "HOST_UNKNOWN");

    put(platform, "hostname:changes.customer.example", "known-later").await?;
    put(platform, "hostname:appears.customer.example", "known-later").await?;
    let mut old = 0;
    for host in ["changes.customer.example", "appears.customer.example"] {
        until("the entry is looked up again", async || {
            let answer = platform.get(host, "/").await?.text();
            old += u32::from(answer != "known-later");
            Ok((answer == "known-later").then_some(()))
        })
        .await?;
    }
    assert!(old > 0, "every request looked the entry up");
    Ok(())
}
