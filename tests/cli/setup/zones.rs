//! `setup` with a zone in `dotdo.jsonc`: what the token and the account need for it, and what remains to be done by hand.

use std::fs;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::PERMISSIONS;
use super::machine::Machine;
use crate::program::assert_contains;

const ZONE: &str = "agents.do";

/// Runs setup on a platform without zones, to whose `dotdo.jsonc` the owner has added one.
pub async fn zones_need_permissions_routes_and_records(machine: &Machine) -> Result<()> {
    let file = machine.clone.path().join("dotdo.jsonc");
    let text = fs::read_to_string(&file)?;
    let edited = text.replace("// \"agents.do\"", "\"agents.do\"");
    ensure!(edited != text, "the file has no example of a zone");
    fs::write(&file, edited)?;
    let with = async |more: &[&str]| {
        machine
            .token(&[&PERMISSIONS[..], more].concat(), Value::Null)
            .await
    };

    let none = with(&[]).await?;
    machine
        .fails(
            &none,
            1,
            &["Zone, Zone, Read", "GET /zones?name=agents.do", "api-tokens"],
        )
        .await?;
    let zones = with(&["Zone Read"]).await?;
    machine
        .fails(&zones, 1, &["has no zone agents.do", "Onboard"])
        .await?;
    let created = machine
        .call(Method::POST, "/zones", json!({ "name": ZONE }))
        .await?;
    let id = created["result"]["id"].as_str().context("a zone")?;
    machine.fails(&zones, 1, &["Zone, Workers Routes, Edit"]).await?;

    // Without the permission for DNS records, a person must look at them.
    let routes = with(&["Zone Read", "Workers Routes Write"]).await?;
    let done = machine.setup(&routes, &["--yes"]).await?;
    ensure!(done.code == Some(0), "{}{}", done.output, done.errors);
    assert_contains(
        &done.output,
        &[
            "write to wrangler.jsonc",
            "its routes differ",
            "Type `npm run deploy`, which makes the route agents.do/* to dispatcher.",
            "which makes the route *.agents.do/*",
            "Check the DNS records of agents.do: the token lacks the permission Zone, DNS, Read.",
        ],
    );
    let written = fs::read_to_string(machine.clone.path().join("wrangler.jsonc"))?;
    assert_contains(&written, &["\"agents.do/*\"", "\"*.agents.do/*\"", "// "]);

    for (pattern, script) in [("agents.do/*", "dispatcher"), ("*.agents.do/*", "deploy-api")] {
        let route = json!({ "pattern": pattern, "script": script });
        machine
            .call(Method::POST, &format!("/zones/{id}/workers/routes"), route)
            .await?;
    }
    let record = json!({ "type": "AAAA", "name": ZONE, "content": "100::", "proxied": false });
    machine
        .call(Method::POST, &format!("/zones/{id}/dns_records"), record)
        .await?;
    let all = with(&["Zone Read", "Workers Routes Write", "DNS Read"]).await?;
    let shown = machine.setup(&all, &["--yes", "--json"]).await?;
    let shown: Value = serde_json::from_str(&shown.output)?;
    assert_eq!(shown["changes"], json!([]), "{shown}");
    assert_eq!(
        shown["remaining"],
        json!([
            "Change the route *.agents.do/*: it goes to deploy-api, and must go to dispatcher.",
            "Switch the DNS record agents.do to \"Proxied\".",
            "Create the DNS record: AAAA, *.agents.do, 100::, proxied.",
        ])
    );
    Ok(())
}
