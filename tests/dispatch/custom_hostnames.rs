//! Custom hostnames. The tests write the KV entries with wrangler, as an operator does.

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script, wrangler};
use reqwest::Method;
use serde_json::Value;

use crate::{failure, platforms};

/// Writes an entry to the platform's KV namespace.
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
async fn a_custom_hostname_routes_to_the_worker_in_its_kv_entry() -> Result<()> {
    let platform = platforms::standard();
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
        // The first request reads KV, the second the isolate's cache.
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
async fn an_invalid_kv_entry_is_an_error_and_never_routes_to_production() -> Result<()> {
    let platform = platforms::standard();
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

/// Counts the KV look-ups of a host. A request to the host `marker` comes last: when its look-up is in the log, all
/// earlier ones are.
async fn count_look_ups(platform: &Platform, host: &str, marker: &str) -> Result<usize> {
    platform.get(marker, "/").await?;
    let is_look_up = |line: &Value, host: &str| line["lookedUp"][0] == format!("hostname:{host}");
    platform
        .log()
        .object(marker, |line| is_look_up(line, marker))
        .await?;
    let lines = platform.log().objects()?;
    Ok(lines.iter().filter(|line| is_look_up(line, host)).count())
}

/// An earlier build read a database for each request. The dispatch Worker also caches that a host has no entry.
#[end_to_end::test]
async fn a_look_up_is_cached_for_30_seconds_in_memory_and_in_kv() -> Result<()> {
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
            assert_eq!(count_look_ups(platform, host, &marker).await?, round, "{host}");
        }
        platform.get("half-a-minute-later.do", "/").await?;
    }

    // A change is visible after 30 seconds, by the clock of the test. The KV of `wrangler dev` has no cache; on
    // Cloudflare, `cacheTtl` adds up to 30 seconds.
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
