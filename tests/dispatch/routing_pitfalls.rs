//! Hosts that an earlier build routed to a wrong Worker, or to none.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::{Method, header::HeaderValue};

use crate::platforms;

/// Deploys Workers to production, and checks that `known` reaches one of them and that each host of `unknown` is
/// unknown.
async fn check_hosts(workers: &[&str], known: &str, unknown: &[&str]) -> Result<()> {
    let platform = platforms::standard();
    for worker in workers {
        platform
            .deploy(Environment::Production, worker, &Script::answering("served"))
            .await?;
    }
    assert_eq!(platform.get(known, "/").await?.text(), "served");
    for host in unknown {
        expect_code(host, "/", "HOST_UNKNOWN").await?;
    }
    Ok(())
}

/// Checks that a request gets the error with this code.
async fn expect_code(host: &str, path: &str, code: &str) -> Result<()> {
    let answer = platforms::standard().get(host, path).await?;
    assert_eq!(
        answer.header("x-dispatch-error"),
        code,
        "{host}: {}",
        answer.text()
    );
    Ok(())
}

/// Checks that a request gets a response with a status from 400 to 499, from the dispatch Worker or from the runtime.
async fn expect_client_error(host: &str) -> Result<()> {
    let answer = platforms::standard().get(host, "/").await?;
    assert!(
        answer.status.is_client_error(),
        "{host}: {} {}",
        answer.status,
        answer.text()
    );
    Ok(())
}

// Production served a staging host, because the earlier build read only the first label.
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
        expect_code(host, path, "WORKER_NOT_DEPLOYED").await?;
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

// The earlier build tested `endsWith(".do")` before `.staging.do`, so no host reached staging.
#[end_to_end::test]
async fn pitfall_02_an_environment_label_after_the_worker_name_is_routed() -> Result<()> {
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

// The earlier build compared suffixes without the dot: `evilexample.com` matched `example.com`.
#[end_to_end::test]
async fn pitfall_03_a_host_suffix_starts_at_a_dot() -> Result<()> {
    check_hosts(
        &["evil", "evilexample", "suffixed"],
        "suffixed.example.com",
        &[
            "evilexample.com",
            "suffixedexample.com",
            "suffixed.evilexample.com",
            "evil-example.com",
        ],
    )
    .await
}

// The earlier build did not compare the suffix: `foo.gateway.anything` matched.
#[end_to_end::test]
async fn pitfall_04_every_label_of_a_host_is_compared() -> Result<()> {
    check_hosts(
        &["gated"],
        "gated.apis.do",
        &[
            "gated.apis.anything",
            "gated.apis.do.evil.example",
            "gated.do.evil",
            "gated.example.com.evil",
            "gated.apis",
            "gated",
        ],
    )
    .await
}

// The earlier build compared internationalised hosts as Unicode, and received them as punycode, so they never matched.
#[end_to_end::test]
async fn pitfall_05_an_internationalised_host_is_served() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "books", &Script::answering("books"))
        .await?;
    for host in ["xn--bcher-kva.example", "XN--BCHER-KVA.example"] {
        assert_eq!(platform.get(host, "/").await?.text(), "books", "{host}");
    }
    // Browsers send punycode. A Unicode host reaches the same Worker or gets an error, and never reaches another
    // Worker.
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

// The earlier build did not normalise the case, a trailing dot or a port.
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
        expect_client_error(host).await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn ip_addresses_and_overlong_hosts_are_rejected() -> Result<()> {
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
        expect_client_error(host).await?;
    }
    Ok(())
}
