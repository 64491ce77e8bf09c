//! `dotdo route`, which is also `npm run route`.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

#[end_to_end::test]
async fn prints_a_table_of_the_route() -> Result<()> {
    let finished = Command::dotdo(&["route", "https://staging.apis.do/agents/x?q"])?
        .run()
        .await?;
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    for expected in [
        "{env}.apis.do/{worker}/*",
        "staging",
        Environment::Staging.namespace(),
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
async fn prints_the_route_as_json() -> Result<()> {
    let finished = Command::dotdo(&["route", "https://staging.agents.do/x", "--json"])?
        .run()
        .await?;
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    let explanation: Value = serde_json::from_str(&finished.output)?;
    assert_eq!(explanation["url"], "https://staging.agents.do/x");
    let route = &explanation["route"];
    for (member, value) in [
        ("environment", "staging"),
        ("namespace", Environment::Staging.namespace()),
        ("binding", "DISPATCHER_STAGING"),
        ("worker", "agents"),
    ] {
        assert_eq!(route[member], value, "{explanation}");
    }
    Ok(())
}

#[end_to_end::test]
async fn exits_with_1_for_a_request_that_gets_an_error() -> Result<()> {
    for (url, code) in [
        ("https://qa.agents.do/", "ENVIRONMENT_UNKNOWN"),
        ("https://com.do/", "WORKER_NAME_INVALID"),
        ("https://unknown.example/", "HOST_UNKNOWN"),
    ] {
        let finished = Command::dotdo(&["route", url])?.run().await?;
        assert_eq!(finished.code, Some(1), "{url}: {}", finished.errors);
        assert!(finished.output.contains(code), "{url}: {}", finished.output);
        let finished = Command::dotdo(&["route", "--json", url])?.run().await?;
        assert_eq!(finished.code, Some(1), "{url}: {}", finished.errors);
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
async fn exits_with_2_for_a_url_that_is_not_http() -> Result<()> {
    for text in ["ftp://agents.do/", "https://a b/", "https://"] {
        let finished = Command::dotdo(&["route", text])?.run().await?;
        assert_eq!(finished.code, Some(2), "{text}: {}", finished.output);
        assert!(finished.errors.contains(text), "{}", finished.errors);
        assert!(!finished.errors.contains("panicked"), "{}", finished.errors);
    }
    Ok(())
}

#[end_to_end::test]
async fn exits_with_2_for_rules_that_cannot_be_loaded_and_for_wrong_options() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-route-")?;
    let file = folder.path().join("routes.json");
    std::fs::write(&file, "[7]")?;
    let file = file.display().to_string();
    for arguments in [
        &["route", "https://agents.do/", "--routes", &file][..],
        &["route", "https://agents.do/", "--routes", "/does/not/exist"],
        &["route"],
        &["route", "https://agents.do/", "--jsn"],
    ] {
        let finished = Command::dotdo(arguments)?.run().await?;
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.errors);
        assert!(!finished.errors.is_empty(), "{arguments:?}");
    }
    Ok(())
}

#[end_to_end::test]
async fn explains_several_urls_and_exits_with_the_code_of_the_worst() -> Result<()> {
    let (routed, refused, invalid) = ("https://agents.do/", "https://com.do/", "ftp://agents.do/");
    for (urls, code) in [
        (&[routed, routed][..], 0),
        (&[refused, routed], 1),
        (&[invalid, refused, routed], 2),
    ] {
        let arguments: Vec<&str> = ["route", "--json"].iter().chain(urls).copied().collect();
        let finished = Command::dotdo(&arguments)?.run().await?;
        assert_eq!(finished.code, Some(code), "{urls:?}: {}", finished.errors);
        let explained: Vec<Value> = serde_json::Deserializer::from_str(&finished.output)
            .into_iter()
            .collect::<Result<_, _>>()?;
        let valid = urls.iter().filter(|url| **url != invalid);
        assert!(explained.iter().map(|it| &it["url"]).eq(valid), "{explained:?}");
    }
    Ok(())
}

#[end_to_end::test]
async fn help_documents_the_exit_codes() -> Result<()> {
    let finished = Command::dotdo(&["route", "--help"])?.run().await?;
    assert_eq!(finished.code, Some(0));
    assert!(finished.output.contains("Exit code:"), "{}", finished.output);
    Ok(())
}
