//! Rules with `strip_prefix`.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Project, Script, wrangler::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms;

const SHOW: &str = "export default { fetch(request) {
    const url = new URL(request.url);
    return new Response(`${request.headers.get('X-Forwarded-Prefix')} ${url.host} ${url.pathname}${url.search}`);
} };";

#[end_to_end::test]
async fn the_worker_gets_the_remaining_path_and_the_prefix_in_a_header() -> Result<()> {
    let platform = platforms::standard();
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

#[end_to_end::test]
async fn without_a_path_segment_apis_do_routes_to_the_worker_apis() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "apis", &Script::module(SHOW))
        .await?;
    assert_eq!(platform.get("apis.do", "/").await?.text(), "null apis.do /");
    assert_eq!(platform.get("apis.do", "/?q").await?.text(), "null apis.do /?q");
    Ok(())
}

#[end_to_end::test]
async fn a_request_with_a_stripped_prefix_keeps_its_body() -> Result<()> {
    let platform = platforms::standard();
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
    assert!(
        answer.body == sent,
        "the response has {} bytes",
        answer.body.len()
    );
    Ok(())
}

/// Returns the `Location` and the status that the query names, with a status text, a body and headers that must survive
/// the change of `Location`.
const REDIRECT: &str = "export default { fetch(request) {
    const { searchParams } = new URL(request.url);
    const headers = new Headers({ Location: searchParams.get('to'), 'X-Own': 'kept' });
    headers.append('Set-Cookie', 'a=1; Path=/');
    headers.append('Set-Cookie', 'b=2');
    return new Response('moved', { status: Number(searchParams.get('status') ?? 302), statusText: 'Moved Over', headers });
} };";

#[end_to_end::test]
async fn the_prefix_is_added_to_a_location_on_the_same_host() -> Result<()> {
    let platform = platforms::standard();
    for environment in [Environment::Production, Environment::Staging] {
        platform
            .deploy(environment, "moves", &Script::module(REDIRECT))
            .await?;
    }
    platform
        .deploy(Environment::Production, "api-v2", &Script::module(REDIRECT))
        .await?;
    for (host, path, location, expected) in [
        // Changed: an absolute path, or a URL with the same host.
        ("apis.do", "/moves/x", "/about", "/moves/about"),
        ("apis.do", "/moves/x", "/", "/moves/"),
        ("apis.do", "/moves/x", "/a?b=/c#d", "/moves/a?b=/c#d"),
        ("apis.do", "/moves/x", "/moveson", "/moves/moveson"),
        (
            "apis.do",
            "/moves/x",
            "http://apis.do/about",
            "http://apis.do/moves/about",
        ),
        (
            "apis.do",
            "/moves/x",
            "https://APIS.do/about",
            "https://APIS.do/moves/about",
        ),
        ("staging.apis.do", "/moves/x", "/about", "/moves/about"),
        ("versions.rules.example", "/api/v2/x", "/about", "/api/v2/about"),
        // Unchanged: it starts with the prefix.
        ("apis.do", "/moves/x", "/moves/about", "/moves/about"),
        ("apis.do", "/moves/x", "/moves", "/moves"),
        // Unchanged: it is relative, or its host differs.
        ("apis.do", "/moves/x", "about", "about"),
        ("apis.do", "/moves/x", "?page=2", "?page=2"),
        (
            "apis.do",
            "/moves/x",
            "https://example.com/about",
            "https://example.com/about",
        ),
        (
            "apis.do",
            "/moves/x",
            "//example.com/about",
            "//example.com/about",
        ),
        (
            "apis.do",
            "/moves/x",
            "https://staging.apis.do/about",
            "https://staging.apis.do/about",
        ),
        (
            "apis.do",
            "/moves/x",
            "http://apis.do:8080/about",
            "http://apis.do:8080/about",
        ),
        // Unchanged: the rule does not strip a prefix.
        ("moves.do", "/x", "/about", "/about"),
    ] {
        let request = platform
            .request(Method::GET, host, path)
            .query(&[("to", location)]);
        let answer = Answer::read(request.send().await?).await?;
        assert_eq!(answer.header("location"), expected, "{host}{path}: {location}");
        assert_eq!(answer.status.as_u16(), 302, "{location}");
        assert_eq!(
            (answer.text().as_str(), answer.header("x-own")),
            ("moved", "kept")
        );
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1; Path=/", "b=2"], "{location}");
    }
    Ok(())
}

#[end_to_end::test]
async fn a_compressed_201_response_keeps_its_body_and_encoding() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(
        "export default { async fetch(request) {
            const stream = new Blob(['compressed '.repeat(1000)]).stream().pipeThrough(new CompressionStream('gzip'));
            const headers = { 'Content-Encoding': 'gzip', Location: '/created' };
            return new Response(stream, { status: 201, headers, encodeBody: 'manual' });
        } };",
    );
    platform
        .deploy(Environment::Production, "creates", &script)
        .await?;
    let direct = platform.get("creates.do", "/").await?;
    let stripped = platform.get("apis.do", "/creates/x").await?;
    assert_eq!(direct.header("location"), "/created");
    assert_eq!(stripped.header("location"), "/creates/created");
    assert_eq!(stripped.status.as_u16(), 201);
    assert_eq!(
        stripped.header("content-encoding"),
        direct.header("content-encoding")
    );
    assert!(stripped.body == direct.body, "the body differs");
    Ok(())
}

/// Static assets redirect `GET /about.html` to `/about`. Without the prefix, that is the path of another Worker.
#[end_to_end::test]
async fn static_asset_redirects_keep_the_prefix() -> Result<()> {
    let platform = platforms::standard();
    let project = Project::new("assetw")?
        .setting("main", Value::Null)?
        .file("public/about.html", "about us")?
        .setting("assets", json!({ "directory": "public" }))?;
    project
        .deploy(platform, Version::V4_152, Environment::Production)
        .await?;
    let answer = platform.get("apis.do", "/assetw/about.html").await?;
    assert_eq!(answer.header("location"), "/assetw/about", "{}", answer.status);
    assert_eq!(platform.get("apis.do", "/assetw/about").await?.text(), "about us");
    Ok(())
}
