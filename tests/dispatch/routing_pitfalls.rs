//! What went wrong with hosts in an earlier build.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::{Method, header::HeaderValue};

use crate::platforms;

// A staging host was served by production, because only the first label was read.
#[end_to_end::test]
async fn pitfall_01_a_staging_host_is_never_served_by_production() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(
            Environment::Production,
            "only-production",
            &Script::answering("production"),
        )
        .await?;
    assert_eq!(
        platform.get("only-production.do", "/").await?.text(),
        "production"
    );
    for (host, path) in [
        ("staging.only-production.do", "/"),
        ("dev.only-production.do", "/"),
        ("development.only-production.do", "/"),
        ("only-production.staging.do", "/"),
        ("only-production.dev.do", "/"),
        ("only-production--staging.apis.do", "/"),
        ("only-production--dev.apis.do", "/"),
        ("staging.apis.do", "/only-production/"),
        ("staging.only-production.localhost", "/"),
        ("Staging.Only-Production.do.", "/"),
    ] {
        let answer = platform.get(host, path).await?;
        assert_eq!(
            answer.header("x-dispatch-error"),
            "WORKER_NOT_DEPLOYED",
            "{host}: {}",
            answer.text()
        );
    }
    for host in [
        "www.staging.only-production.do",
        "staging.www.only-production.do",
        "staging.only-production.apis.do",
        "only-production.staging.apis.do",
        "qa.only-production.do",
        "stagin.only-production.do",
        "staging.staging.only-production.do",
        "only-production.qa.do",
        "staging.only-production.example.com",
    ] {
        let answer = platform.get(host, "/").await?;
        assert_eq!(answer.status, 404, "{host}: {}", answer.text());
    }
    Ok(())
}

// `endsWith(".do")` was tested before `.staging.do`, so staging was unreachable.
#[end_to_end::test]
async fn pitfall_02_an_environment_behind_the_worker_is_reached() -> Result<()> {
    let platform = platforms::standard();
    for environment in [Environment::Staging, Environment::Development] {
        let script = Script::answering(environment.name());
        platform.deploy(environment, "reached", &script).await?;
    }
    assert_eq!(platform.get("reached.staging.do", "/").await?.text(), "staging");
    assert_eq!(platform.get("reached.dev.do", "/").await?.text(), "development");
    assert_eq!(
        platform.get("reached.development.do", "/").await?.text(),
        "development"
    );
    Ok(())
}

// A wildcard compared suffixes without the dot: `evilexample.com` matched `example.com`.
#[end_to_end::test]
async fn pitfall_03_a_suffix_ends_at_a_dot() -> Result<()> {
    let platform = platforms::standard();
    for worker in ["evil", "evilexample", "suffixed"] {
        platform
            .deploy(Environment::Production, worker, &Script::answering("served"))
            .await?;
    }
    assert_eq!(platform.get("suffixed.example.com", "/").await?.text(), "served");
    for host in [
        "evilexample.com",
        "suffixedexample.com",
        "suffixed.evilexample.com",
        "evil-example.com",
    ] {
        let answer = platform.get(host, "/").await?;
        assert_eq!(
            answer.header("x-dispatch-error"),
            "HOST_UNKNOWN",
            "{host}: {}",
            answer.text()
        );
    }
    Ok(())
}

// `foo.gateway.anything` matched: the suffix was never checked.
#[end_to_end::test]
async fn pitfall_04_every_label_is_checked() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "gated", &Script::answering("served"))
        .await?;
    assert_eq!(platform.get("gated.apis.do", "/").await?.text(), "served");
    for host in [
        "gated.apis.anything",
        "gated.apis.do.evil.example",
        "gated.do.evil",
        "gated.example.com.evil",
        "gated.apis",
        "gated",
    ] {
        let answer = platform.get(host, "/").await?;
        assert_eq!(
            answer.header("x-dispatch-error"),
            "HOST_UNKNOWN",
            "{host}: {}",
            answer.text()
        );
    }
    Ok(())
}

// Internationalised hosts never matched (compared as Unicode, received as punycode).
#[end_to_end::test]
async fn pitfall_05_an_internationalised_host_is_served() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "books", &Script::answering("books"))
        .await?;
    for host in ["xn--bcher-kva.example", "XN--BCHER-KVA.example"] {
        assert_eq!(platform.get(host, "/").await?.text(), "books", "{host}");
    }
    // Browsers send punycode; a client that does not is understood or refused, and served by nobody else.
    let host = HeaderValue::from_bytes("bücher.example".as_bytes())?;
    let request = platform.request(Method::GET, "placeholder.example", "/");
    let mut request = request.build()?;
    request.headers_mut().insert("Host", host);
    let answer = Answer::read(platform.execute(request).await?).await?;
    assert!(
        answer.text() == "books" || answer.status.is_client_error(),
        "{} {}",
        answer.status,
        answer.text()
    );
    Ok(())
}

// No handling of case, a trailing dot or a port.
#[end_to_end::test]
async fn pitfall_06_case_trailing_dot_and_port_are_ignored() -> Result<()> {
    let platform = platforms::standard();
    for environment in [Environment::Production, Environment::Staging] {
        let script = Script::answering(environment.name());
        platform.deploy(environment, "plainly", &script).await?;
    }
    for (host, answered) in [
        ("PLAINLY.DO", "production"),
        ("plainly.do.", "production"),
        ("plainly.do:8787", "production"),
        ("Plainly.Do.:443", "production"),
        ("STAGING.plainly.do.:80", "staging"),
        ("Plainly--Staging.Apis.Do.:1", "staging"),
    ] {
        assert_eq!(platform.get(host, "/").await?.text(), answered, "{host}");
    }
    for host in ["plainly.do..", "plainly..do", ".plainly.do"] {
        let request = platform.request(Method::GET, host, "/");
        let answer = Answer::read(request.send().await?).await?;
        assert!(
            answer.status.is_client_error(),
            "{host}: {} {}",
            answer.status,
            answer.text()
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn hosts_that_are_no_names_are_refused() -> Result<()> {
    let long_label = format!("{}.do", "a".repeat(64));
    let long_host = format!("{}do", "a.".repeat(130));
    for host in [
        "127.0.0.1:8787",
        "[::1]",
        "2130706433",
        "0x7f.1",
        &long_label,
        &long_host,
    ] {
        let answer = platforms::standard().get(host, "/").await?;
        assert!(
            answer.status.is_client_error(),
            "{host}: {} {}",
            answer.status,
            answer.text()
        );
    }
    Ok(())
}
