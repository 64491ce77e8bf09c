//! The calls that need only the ledger, and the memory of both instances.

use anyhow::{Context, Result};
use end_to_end::{Issuer, Platform, issuer::OWNER_ID};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::Arguments;
use crate::figure::{Figure, percentile};
use crate::requests::{CLIENTS, send, timed};

/// The memory of the gateway and of the ledger.
pub async fn memory(platform: &Platform) -> Result<Vec<Figure>> {
    let health = send(platform.deploy_api().request(Method::GET, "/v1/health")).await?;
    let health: Value = serde_json::from_str(&health)?;
    ["gateway", "ledger"]
        .into_iter()
        .map(|instance| {
            let bytes = health
                .pointer(&format!("/wasm_memory_bytes/{instance}"))
                .and_then(Value::as_u64)
                .and_then(|bytes| u32::try_from(bytes).ok())
                .context("health does not show the memory")?;
            let mebibytes = f64::from(bytes) / f64::from(1 << 20);
            Ok(Figure::new(
                format!("peak Wasm memory, {instance}"),
                mebibytes,
                "MiB",
                Some("below 96"),
            ))
        })
        .collect()
}

/// The rate of token exchanges.
pub async fn exchanges(platform: &Platform, issuer: &Issuer) -> Result<Figure> {
    let rule = json!({
        "name": "bench",
        "who": { "github": {
            "issuer": issuer.address(), "repository": "drivly/bench", "repository_id": "1",
            "repository_owner_id": OWNER_ID, "ref": "refs/heads/main",
        } },
        "namespaces": ["dotdo-staging"], "workers": ["bench"], "actions": ["deploy"],
    });
    platform.deploy_api().allow(rule).await?;
    // Signing is the issuer's work, so it is not measured.
    let requests: Vec<_> = (0..200)
        .map(|_| {
            let token = issuer.token(&issuer.claims("drivly/bench", 1));
            platform
                .anonymous(Method::POST, "/v1/tokens/exchange")
                .json(&json!({ "token": token }))
        })
        .collect();
    let times = timed(requests.into_iter(), CLIENTS).await?;
    Ok(Figure::new(
        "exchanges of an OIDC token",
        times.per_second(),
        "/s",
        None,
    ))
}

/// The calls about an audit log of this length.
pub async fn audit_log(platform: &Platform, arguments: &Arguments) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    eprintln!("writing {} audit entries", arguments.entries);
    let times = timed(
        (0..arguments.entries).map(|number| append(platform, number)),
        CLIENTS,
    )
    .await?;
    figures.push(Figure::new(
        "audit appends, a request each",
        times.per_second(),
        "/s",
        None,
    ));
    let api = platform.deploy_api();
    for (path, target) in [
        // A request that does not reach the ledger: what the local platform costs alone.
        ("/v1/policy/schema.json", None),
        ("/v1/health", None),
        ("/v1/audit?limit=100", Some("at most 8")),
        ("/v1/audit?limit=1000", None),
        ("/v1/audit?limit=100&worker=bench-3", None),
        ("/v1/audit?limit=100&verb=token_exchange", None),
        ("/v1/audit/verify", Some("at most 50")),
    ] {
        let times = timed((0..100).map(|_| api.request(Method::GET, path)), 1).await?;
        figures.push(Figure::new(
            format!("GET {path}"),
            percentile(times.each, 50),
            "ms",
            target,
        ));
    }
    Ok(figures)
}

fn append(platform: &Platform, number: usize) -> RequestBuilder {
    platform.api(Method::POST, "/v1/audit/break-glass").json(&json!({
        "namespace": "dotdo-staging", "worker": format!("bench-{}", number % 16),
        "at": "2026-01-01T00:00:00Z", "why": "a benchmark",
    }))
}
