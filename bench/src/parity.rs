//! Whether the TypeScript dispatcher with our features has them: a comparison with one that does less means nothing.
//!
//! Both are asked the same requests with `ANALYTICS` bound, once with the default log and once with `LOG_REFUSALS=1`.
//! These must be equal: the status; every header except the date and the body's length; of an error document, its
//! members and their types, and the values of `type`, `status`, `code` and `request_id`; of an error page, its elements
//! and attributes; the body of every other response; the data point except the wording of its rule; and the log lines'
//! stream, code, status, environment, Worker and request id. The wording of titles, details, fixes and causes may differ.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Context, Result, bail};
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response,
    body::Bytes,
    header::{HOST, HeaderName},
};
use serde_json::{Value, json};

use crate::{
    client::Connection,
    configuration::Optional,
    contender::Contender,
    progress::Progress,
    setting::Setting,
    workerd::{Output, Workerd},
};

/// Hosts and paths that the rules, the host validation and the errors treat differently.
const ADDRESSES: [(&str, &str); 24] = [
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
    ("nobody.do:8787", "/"),
    ("example.com", "/"),
    ("example.com:8787", "/"),
    ("example.com", "/.well-known/dispatcher"),
    ("a..do", "/"),
    ("127.0.0.1", "/"),
];

/// A path with a prefix that is stripped, and the `Location` of the user Worker's response.
const REDIRECTS: [(&str, &str, &str); 11] = [
    ("apis.do", "/tenant-5/x", "/about"),
    ("apis.do", "/tenant-5/x", "/about?a=/b#c"),
    ("apis.do", "/tenant-5/x", "/"),
    ("apis.do", "/tenant-5/x", "/tenant-5/about"),
    ("apis.do", "/tenant-5/x", "/tenant-50/about"),
    ("apis.do", "/tenant-5/x", "http://apis.do/about"),
    ("apis.do", "/tenant-5/x", "http://apis.do/tenant-5/about"),
    ("apis.do", "/tenant-5/x", "https://example.com/about"),
    ("apis.do", "/tenant-5/x", "about"),
    ("apis.do", "/tenant-5/x", "?page=2"),
    // No prefix is stripped here.
    ("tenant-5.do", "/x", "/about"),
];

/// What a user Worker throws: an error of its own, and the messages of the platform.
const THROWN: [&str; 5] = [
    "something broke",
    "Worker not found.",
    "Worker exceeded CPU time limit.",
    "Too many subrequests.",
    "internal error",
];

/// The key of the log lines.
const LOG: &str = "log lines";

const ACCEPTED: [&str; 2] = ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8"];

/// Compares the dispatch Worker with the TypeScript dispatcher that has our features.
///
/// # Errors
/// When they differ, with every difference.
pub async fn check(setting: &Setting, progress: &mut Progress) -> Result<()> {
    let mut differences = String::new();
    for log_refusals in [false, true] {
        progress.step(format_args!("comparing the features of the TypeScript peer"));
        let ours = observe(setting, Contender::Dispatcher, log_refusals).await?;
        let theirs = observe(setting, Contender::SameFeatures, log_refusals).await?;
        // The second time only the log differs.
        for (key, ours) in ours
            .iter()
            .filter(|(key, _)| !log_refusals || key.starts_with(LOG))
        {
            let theirs = theirs.get(key).unwrap_or(&Value::Null);
            describe_difference(&mut differences, key, ours, theirs);
        }
    }
    if !differences.is_empty() {
        bail!(
            "the dispatch Worker and `{}` (bench/peers/same-features.ts) differ; change the peer until they agree:\n{differences}",
            Contender::SameFeatures.title()
        );
    }
    Ok(())
}

/// Everything that is compared, by the request.
async fn observe(
    setting: &Setting,
    contender: Contender,
    log_refusals: bool,
) -> Result<BTreeMap<String, Value>> {
    let optional = Optional {
        analytics: true,
        log_refusals,
        ..Optional::default()
    };
    let workerd = Workerd::serve(setting, contender, "parity", optional, Output::Keep)?;
    let mut connection = Connection::open(workerd.ports.http).await?;
    let mut observed = BTreeMap::new();
    for request in requests()? {
        let key = request_line(&request);
        let points = workerd.inspect().await?.points;
        let response = connection
            .fetch(request)
            .await
            .with_context(|| format!("{}: {key}: {}", contender.title(), workerd.log()))?;
        let inspection = workerd.inspect().await?;
        let written = inspection.points - points;
        observed.insert(
            key,
            json!({
                "status": response.status().as_u16(),
                "headers": headers(response.headers()),
                "body": body(&response),
                "points": written,
                "point": if written > 0 { point(&inspection.last_point) } else { Value::Null },
            }),
        );
    }
    let [stdout, stderr] = workerd.outputs()?;
    let log = json!({ "stdout": log_lines(&stdout), "stderr": log_lines(&stderr) });
    observed.insert(
        format!(
            "log lines, LOG_REFUSALS {}",
            if log_refusals { "1" } else { "unset" }
        ),
        log,
    );
    Ok(observed)
}

fn requests() -> Result<Vec<Request<Full<Bytes>>>> {
    let mut requests = Vec::new();
    let mut add = |method: Method, host: &str, path: &str, header: (&str, &str)| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host)
            .header("cf-ray", format!("parity-{}", requests.len()))
            .header(HeaderName::try_from(header.0)?, header.1);
        requests.push(request.body(Full::new(Bytes::new()))?);
        anyhow::Ok(())
    };
    for (host, path) in ADDRESSES {
        for accept in ACCEPTED {
            add(Method::GET, host, path, ("accept", accept))?;
        }
    }
    for (host, path, location) in REDIRECTS {
        add(Method::PATCH, host, path, ("redirect-to", location))?;
    }
    for message in THROWN {
        add(Method::DELETE, "tenant-0.do", "/", ("throw", message))?;
    }
    add(Method::HEAD, "example.com", "/", ("accept", "*/*"))?;
    Ok(requests)
}

fn request_line(request: &Request<Full<Bytes>>) -> String {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value
            .map_or("", |value| value.to_str().unwrap_or_default())
            .to_owned()
    };
    let mut line = format!("{} {}{}", request.method(), header("host"), request.uri());
    for name in ["accept", "redirect-to", "throw"] {
        if !header(name).is_empty() {
            let _ = write!(line, ", {name}: {}", header(name));
        }
    }
    line
}

/// All headers except those that depend on the time, on the length of the wording or on the connection.
fn headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    headers
        .iter()
        .filter(|(name, _)| !["date", "content-length", "transfer-encoding"].contains(&name.as_str()))
        .map(|(name, value)| {
            (
                name.as_str(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

fn body(response: &Response<Bytes>) -> Value {
    let text = String::from_utf8_lossy(response.body());
    let content_type = response.headers().get("content-type");
    let content_type = content_type.map_or("", |value| value.to_str().unwrap_or_default());
    if content_type.contains("json") {
        let document = serde_json::from_str(&text);
        document.map_or_else(|_| text.clone().into(), |document| structure("", &document))
    } else if content_type.contains("html") {
        elements(&text).into()
    } else {
        text.into()
    }
}

/// The document with its wording replaced by `text` (or `empty`): only the values with a fixed meaning remain.
fn structure(member: &str, document: &Value) -> Value {
    match document {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), structure(name, value)))
            .collect(),
        Value::String(text) if !["type", "code", "request_id", "binding"].contains(&member) => {
            if text.is_empty() { "empty" } else { "text" }.into()
        }
        other => other.clone(),
    }
}

/// The tags of a page. `<code>` is left out: it is part of a detail's wording.
fn elements(page: &str) -> Vec<String> {
    page.split('<')
        .skip(1)
        .filter_map(|part| part.split_once('>'))
        .map(|(tag, _)| tag.to_owned())
        .filter(|tag| !["code", "/code"].contains(&tag.as_str()))
        .collect()
}

/// The data point with the wording of its rule (blob 4) replaced, and its host (blob 5) in lower case: only on workerd
/// does the URL of a request keep upper case.
fn point(point: &Value) -> Value {
    let mut point = point.clone();
    if let Some(rule) = point.pointer_mut("/blobs/3") {
        *rule = structure("", rule);
    }
    if let Some(Value::String(host)) = point.pointer_mut("/blobs/4") {
        host.make_ascii_lowercase();
    }
    point
}

fn log_lines(output: &str) -> Vec<Value> {
    let lines = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let compared = |line: Value| {
        let members = ["code", "status", "environment", "worker", "request_id"];
        let members = members.map(|name| (name.to_owned(), line.get(name).cloned().unwrap_or_default()));
        Value::from(serde_json::Map::from_iter(members))
    };
    lines.filter(Value::is_object).map(compared).collect()
}

fn describe_difference(text: &mut String, key: &str, ours: &Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Object(members), Value::Object(others)) => {
            let names: std::collections::BTreeSet<_> = members.keys().chain(others.keys()).collect();
            for name in names {
                let of = |object: &serde_json::Map<_, _>| object.get(name).cloned().unwrap_or_default();
                describe_difference(text, &format!("{key}: {name}"), &of(members), &of(others));
            }
        }
        _ if ours != theirs => {
            let _ = writeln!(text, "  {key}: ours {ours}, the peer's {theirs}");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wording_of_a_problem_document_may_differ() {
        let document = |title, code| structure("", &json!({ "title": title, "code": code, "status": 404 }));
        assert_eq!(document("a", "X"), document("b", "X"));
        assert_ne!(document("a", "X"), document("", "X"));
        assert_ne!(document("a", "X"), document("a", "Y"));
    }

    #[test]
    fn attributes_of_a_page_are_compared_and_text_is_not() {
        assert_eq!(
            elements("<p>the <code>host</code></p>"),
            elements("<p>another</p>")
        );
        assert_ne!(elements("<a href=\"/a\">x</a>"), elements("<a href=\"/b\">x</a>"));
    }

    #[test]
    fn a_difference_names_the_request_and_the_member() {
        let mut text = String::new();
        let ours = json!({ "status": 503, "headers": { "retry-after": "1" } });
        describe_difference(
            &mut text,
            "GET a.do/",
            &ours,
            &json!({ "status": 503, "headers": {} }),
        );
        assert_eq!(
            text,
            "  GET a.do/: headers: retry-after: ours \"1\", the peer's null\n"
        );
    }

    #[test]
    fn every_request_has_a_distinct_line() {
        let lines: std::collections::BTreeSet<_> = requests().unwrap().iter().map(request_line).collect();
        assert_eq!(lines.len(), requests().unwrap().len());
    }
}
