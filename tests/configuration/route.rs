//! `npm run route`.

use anyhow::Result;
use end_to_end::Command;
use serde_json::{Value, json};

#[end_to_end::test]
async fn it_explains_a_route_to_people() -> Result<()> {
    let finished = Command::new(&["route", "https://staging.apis.do/agents/x?q"])
        .run()
        .await?;
    assert!(finished.succeeded, "{}", finished.errors);
    for expected in [
        "{env}.apis.do/{worker}/*",
        "staging",
        "dotdo-staging",
        "DISPATCHER_STAGING",
        "agents",
        "/x?q",
    ] {
        assert!(
            finished.output.contains(expected),
            "{expected}: {}",
            finished.output
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn it_explains_a_route_to_machines() -> Result<()> {
    let finished = Command::new(&["route", "https://staging.agents.do/x", "--json"])
        .run()
        .await?;
    assert!(finished.succeeded, "{}", finished.errors);
    let explanation: Value = serde_json::from_str(&finished.output)?;
    assert_eq!(explanation["url"], "https://staging.agents.do/x");
    let route = &explanation["route"];
    for (member, value) in [
        ("environment", "staging"),
        ("namespace", "dotdo-staging"),
        ("binding", "DISPATCHER_STAGING"),
        ("worker", "agents"),
    ] {
        assert_eq!(route[member], value, "{explanation}");
    }
    Ok(())
}

#[end_to_end::test]
async fn it_explains_an_error_and_why() -> Result<()> {
    for (url, code) in [
        ("https://qa.agents.do/", "ENVIRONMENT_UNKNOWN"),
        ("https://com.do/", "WORKER_NAME_INVALID"),
        ("https://unknown.example/", "HOST_UNKNOWN"),
    ] {
        let finished = Command::new(&["route", url]).run().await?;
        assert!(finished.succeeded, "{}", finished.errors);
        assert!(finished.output.contains(code), "{url}: {}", finished.output);
        let finished = Command::new(&["route", "--json", url]).run().await?;
        let explanation: Value = serde_json::from_str(&finished.output)?;
        let refusal = &explanation["refusal"];
        assert_eq!(refusal["code"], json!(code), "{explanation}");
        assert!(
            refusal["reason"]
                .as_str()
                .is_some_and(|reason| !reason.is_empty()),
            "{explanation}"
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn what_is_no_web_address_is_an_error_in_a_sentence() -> Result<()> {
    for text in ["ftp://agents.do/", "https://a b/", "https://"] {
        let finished = Command::new(&["route", text]).run().await?;
        assert!(!finished.succeeded, "{text}: {}", finished.output);
        assert!(finished.errors.contains(text), "{}", finished.errors);
        assert!(!finished.errors.contains("panicked"), "{}", finished.errors);
    }
    Ok(())
}
