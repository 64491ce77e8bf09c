//! Custom hostnames, written into the KV namespace as an operator does: with wrangler.

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script, wrangler};
use reqwest::Method;
use serde_json::Value;

use crate::{failure, platforms};

/// Writes an entry into the platform's KV namespace.
pub async fn put(platform: &Platform, key: &str, value: &str) -> Result<()> {
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

#[end_to_end::test]
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

#[end_to_end::test]
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

/// How often the KV namespace was asked for a host. Everything before a marker is in the log once the marker is.
async fn look_ups(platform: &Platform, host: &str, marker: &str) -> Result<usize> {
    platform.get(marker, "/").await?;
    let asked = |line: &Value, host: &str| line["lookedUp"][0] == format!("hostname:{host}");
    platform.log().object(marker, |line| asked(line, marker)).await?;
    let lines = platform.log().objects()?;
    Ok(lines.iter().filter(|line| asked(line, host)).count())
}

/// An earlier build read a database for each request. Here hosts without an entry are cached as well.
#[end_to_end::test]
async fn a_look_up_is_cached_for_half_a_minute_and_in_kv_for_another_half() -> Result<()> {
    let platform = platforms::faulty();
    let (known, unknown) = ("known.customer.example", "unknown.customer.example");
    put(platform, &format!("hostname:{known}"), "at-once").await?;
    for round in 1..=2 {
        for _ in 0..5 {
            assert_eq!(platform.get(known, "/").await?.text(), "answered GET /");
            let missed = platform.get(unknown, "/").await?;
            assert_eq!(missed.header("x-dispatch-error"), "HOST_UNKNOWN");
        }
        for host in [known, unknown] {
            let marker = format!("marker-{round}.{host}");
            assert_eq!(look_ups(platform, host, &marker).await?, round, "{host}");
        }
        platform.get("half-a-minute-later.do", "/").await?;
    }

    // A change is visible half a minute later, by the clock of the test. The real KV has its own cache.
    put(platform, &format!("hostname:{known}"), "get-throws").await?;
    put(platform, &format!("hostname:{unknown}"), "at-once").await?;
    platform.get("half-a-minute-later.do", "/").await?;
    let changed = platform.get(known, "/").await?;
    assert_eq!(changed.header("x-dispatch-error"), "DISPATCH_UNAVAILABLE");
    assert_eq!(platform.get(unknown, "/").await?.text(), "answered GET /");
    let key = format!("hostname:{known}");
    let look_up = platform
        .log()
        .object("the look-up", |line| line["lookedUp"][0] == key)
        .await?;
    assert_eq!(look_up["options"]["cacheTtl"], 30, "{look_up}");
    Ok(())
}
