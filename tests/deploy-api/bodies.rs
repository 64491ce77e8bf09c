//! Bodies are read only as far as a call takes them.

use anyhow::Result;
use end_to_end::{Answer, Options, Platform};
use futures_util::stream;
use reqwest::{Body, Method};

/// Four times 16 KiB, whose sum is not announced.
fn unannounced() -> Body {
    Body::wrap_stream(stream::iter(
        (0..4).map(|_| Ok::<_, std::io::Error>(vec![b' '; 16 * 1024])),
    ))
}

#[end_to_end::test]
async fn a_body_over_its_limit_is_refused_announced_or_not() -> Result<()> {
    let platform = Platform::start(Options::new());
    let bodies = [
        (Method::POST, "/v1/policy/explain", unannounced()),
        (Method::POST, "/v1/policy/explain", vec![b' '; 33 * 1024].into()),
        (Method::PUT, "/v1/policy", vec![b' '; 257 * 1024].into()),
    ];
    for (method, path, body) in bodies {
        let answer = Answer::read(platform.api(method, path).body(body).send().await?).await?;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_str()),
            (413, Some("BODY_TOO_LARGE")),
            "{path}"
        );
    }
    let well = Answer::read(platform.api(Method::GET, "/v1/health").send().await?).await?;
    assert_eq!(well.json()["status"], "ok");
    Ok(())
}
