//! Rules that strip a prefix of the path.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::Method;

use crate::platforms;

const SHOW: &str = "export default { fetch(request) {
    const url = new URL(request.url);
    return new Response(`${request.headers.get('X-Forwarded-Prefix')} ${url.host} ${url.pathname}${url.search}`);
} };";

#[end_to_end::test]
async fn the_worker_sees_the_rest_and_is_told_the_prefix() -> Result<()> {
    let platform = platforms::sound();
    for (environment, worker) in [
        (Environment::Production, "shop"),
        (Environment::Staging, "shop"),
        (Environment::Production, "api-v1"),
    ] {
        platform
            .deploy(environment, worker, &Script::module(SHOW))
            .await?;
    }
    for (host, path, seen) in [
        ("apis.do", "/shop", "/shop apis.do /"),
        ("apis.do", "/shop/", "/shop apis.do /"),
        ("apis.do", "/shop?x=1", "/shop apis.do /?x=1"),
        ("apis.do", "/shop/a/b?c=d", "/shop apis.do /a/b?c=d"),
        ("apis.do", "/shop//a", "/shop apis.do //a"),
        ("apis.do", "/shop/shop/a", "/shop apis.do /shop/a"),
        (
            "apis.do",
            "/shop/%2e%2E%2Fa%20b?q=%2f",
            "/shop apis.do /%2e%2E%2Fa%20b?q=%2f",
        ),
        (
            "apis.do",
            "/shop/a?next=http://x.do/",
            "/shop apis.do /a?next=http://x.do/",
        ),
        ("staging.apis.do", "/shop/a", "/shop staging.apis.do /a"),
        (
            "versions.rules.example",
            "/api/v1/things",
            "/api/v1 versions.rules.example /things",
        ),
        (
            "versions.rules.example",
            "/kept/shop/things",
            "null versions.rules.example /kept/shop/things",
        ),
        ("shop.do", "/shop/a", "null shop.do /shop/a"),
    ] {
        assert_eq!(platform.get(host, path).await?.text(), seen, "{host}{path}");
    }
    Ok(())
}

/// `apis.do/` itself is the Worker `apis`.
#[end_to_end::test]
async fn without_a_segment_the_host_is_a_worker_of_its_own() -> Result<()> {
    let platform = platforms::sound();
    platform
        .deploy(Environment::Production, "apis", &Script::module(SHOW))
        .await?;
    assert_eq!(platform.get("apis.do", "/").await?.text(), "null apis.do /");
    assert_eq!(platform.get("apis.do", "/?q").await?.text(), "null apis.do /?q");
    Ok(())
}

#[end_to_end::test]
async fn a_rebuilt_request_keeps_its_body() -> Result<()> {
    let platform = platforms::sound();
    let script = Script::module(
        "export default { fetch(request) {
            return new Response(request.body, { headers: { 'X-Type': request.headers.get('Content-Type') } });
        } };",
    );
    platform
        .deploy(Environment::Production, "echoes", &script)
        .await?;
    let sent: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    let request = platform
        .request(Method::POST, "apis.do", "/echoes/x")
        .header("Content-Type", "application/x-own")
        .body(sent.clone());
    let answer = Answer::read(request.send().await?).await?;
    assert_eq!(answer.header("x-type"), "application/x-own");
    assert!(answer.body == sent, "{} bytes came back", answer.body.len());
    Ok(())
}
