//! The response of a user Worker reaches the client unchanged.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Script};
use reqwest::{Method, header::HeaderValue};

use crate::platforms;

#[end_to_end::test]
async fn several_set_cookie_headers_stay_separate() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(
        "export default { fetch() {
            const response = new Response('cookies');
            for (const name of ['a', 'b', 'c']) response.headers.append('Set-Cookie', `${name}=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT`);
            return response;
        } };",
    );
    platform
        .deploy(Environment::Production, "cookies", &script)
        .await?;
    for (host, path) in [("cookies.do", "/"), ("apis.do", "/cookies/x")] {
        let answer = platform.get(host, path).await?;
        let cookies: Vec<_> = answer
            .headers
            .get_all("set-cookie")
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let expected = ["a", "b", "c"].map(|name| format!("{name}=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT"));
        assert_eq!(cookies, expected.each_ref().map(String::as_bytes), "{host}{path}");
    }
    Ok(())
}

/// The dispatch Worker passes a redirect on; the client decides whether to follow it.
#[end_to_end::test]
async fn redirects_are_not_followed() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(
        "export default { fetch(request) {
            const url = new URL(request.url);
            if (url.pathname === '/to') return new Response('followed');
            return new Response(null, { status: Number(url.searchParams.get('status')), headers: { Location: '/to' } });
        } };",
    );
    platform
        .deploy(Environment::Production, "redirects", &script)
        .await?;
    for status in [301, 302, 303, 307, 308] {
        for (host, path) in [("redirects.do", "/from"), ("apis.do", "/redirects/from")] {
            for method in [Method::GET, Method::POST] {
                let request = platform.request(method, host, &format!("{path}?status={status}"));
                let answer = Answer::read(request.send().await?).await?;
                assert_eq!(answer.status.as_u16(), status, "{host}: {}", answer.text());
                let expected = if host == "apis.do" { "/redirects/to" } else { "/to" };
                assert_eq!(answer.header("location"), expected);
            }
        }
    }
    Ok(())
}

#[end_to_end::test]
async fn statuses_headers_and_bodies_are_not_changed() -> Result<()> {
    let platform = platforms::standard();
    let script = Script::module(
        "export default { fetch(request) {
            const status = Number(new URL(request.url).pathname.slice(1));
            const body = [204, 205, 304].includes(status) ? null : 'body';
            return new Response(body, { status, headers: { 'X-Own': 'ü'.normalize('NFC') === 'ü' ? 'yes' : 'no', ETag: '\"x\"' } });
        } };",
    );
    platform
        .deploy(Environment::Production, "statuses", &script)
        .await?;
    for status in [200, 201, 204, 206, 299, 304, 400, 404, 418, 451, 500, 503, 599] {
        let answer = platform.get("statuses.do", &format!("/{status}")).await?;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("etag"), "\"x\"");
        assert_eq!(
            answer.header("x-dispatch-error"),
            "",
            "the dispatch Worker replaced the {status} of the Worker"
        );
        let expected = if matches!(status, 204 | 304) { "" } else { "body" };
        assert_eq!(answer.text(), expected, "{status}");
    }
    Ok(())
}
