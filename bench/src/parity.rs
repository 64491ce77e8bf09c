//! Whether the TypeScript dispatcher with our features has them: a comparison with one that does less says nothing.

use anyhow::{Context, Result, bail};
use http_body_util::Full;
use hyper::{Request, body::Bytes, header::HOST};

use crate::{client::Connection, comparison::Running, contender::Contender};

/// Hosts and paths that the rules, the host hygiene and the errors treat differently.
const REQUESTS: [(&str, &str); 22] = [
    ("tenant-0.do", "/"),
    ("www.tenant-1.do", "/a?b"),
    ("TENANT-2.do", "/"),
    ("tenant-3.do.", "/"),
    ("tenant-3.do:8787", "/"),
    ("tenant-4.apis.do", "/"),
    ("apis.do", "/tenant-5/x"),
    ("apis.do", "/"),
    ("staging.tenant-0.do", "/"),
    ("tenant-0.dev.do", "/"),
    ("tenant-0--staging.apis.do", "/"),
    ("tenant-0--qa.apis.do", "/"),
    ("staging.apis.do", "/tenant-0/"),
    ("qa.tenant-0.do", "/"),
    ("staging.dev.do", "/"),
    ("gov.do", "/"),
    ("a--b.do", "/"),
    ("nobody.do", "/"),
    ("example.com", "/"),
    ("example.com", "/.well-known/dispatcher"),
    ("a..do", "/"),
    ("127.0.0.1", "/"),
];

/// Compares the answers of the two contenders that have the same features, if both run.
///
/// # Errors
/// When they answer a request differently.
pub async fn check(running: &[Running]) -> Result<()> {
    let of = |contender| running.iter().find(|running| running.contender == contender);
    let (Some(ours), Some(theirs)) = (of(Contender::Dispatcher), of(Contender::SameFeatures)) else {
        return Ok(());
    };
    for (host, path) in REQUESTS {
        let (ours, theirs) = (answer(ours, host, path).await?, answer(theirs, host, path).await?);
        if ours != theirs {
            bail!(
                "http://{host}{path}: this dispatch Worker answers {ours}, but {} {theirs}",
                Contender::SameFeatures.title()
            );
        }
    }
    Ok(())
}

/// The status, with the error's code or else the user Worker's answer.
async fn answer(running: &Running, host: &str, path: &str) -> Result<String> {
    let request = Request::get(path)
        .header(HOST, host)
        .body(Full::new(Bytes::new()))?;
    let mut connection = Connection::open(running.workerd.port).await?;
    let response = connection
        .ask(request)
        .await
        .with_context(|| format!("{}: http://{host}{path}", running.contender.title()))?;
    let code = response.headers().get("x-dispatch-error");
    let said = code.map_or_else(
        || String::from_utf8_lossy(response.body()),
        |code| String::from_utf8_lossy(code.as_bytes()),
    );
    // The health documents differ in their version.
    let said = if path.starts_with("/.well-known") {
        "".into()
    } else {
        said
    };
    Ok(format!("{} {said}", response.status()))
}
