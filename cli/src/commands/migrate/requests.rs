//! The requests that `verify` sends: paths, or a file of recorded requests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use ureq::http::{HeaderName, HeaderValue, Method};

use crate::failure::Failure;

/// Headers that the client sets itself.
const FRAMING: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// A recorded request: one JSON object a line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// The account Worker that it was sent to; every Worker without it.
    #[serde(default)]
    pub worker: Option<String>,
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// The path with the query, which begins with a slash.
    pub path: String,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    #[serde(default)]
    pub body: Option<String>,
}

fn get() -> String {
    "GET".to_owned()
}

impl RecordedRequest {
    /// A GET of a path.
    pub fn of_path(path: &str) -> Self {
        Self {
            worker: None,
            method: get(),
            path: path.to_owned(),
            headers: BTreeMap::new(),
            body: None,
        }
    }

    /// Whether it is sent unless told otherwise.
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    fn check(&self) -> Result<(), String> {
        if !self.path.starts_with('/') {
            return Err(format!("the path {:?} does not begin with a slash", self.path));
        }
        let is_method =
            Method::from_bytes(self.method.as_bytes()).is_ok_and(|method| method != Method::CONNECT);
        if !is_method {
            return Err(format!("{:?} is not a method that can be sent", self.method));
        }
        if self.method.chars().any(|c| c.is_ascii_lowercase()) {
            return Err(format!("write the method {:?} in capitals", self.method));
        }
        for (name, value) in &self.headers {
            if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
                return Err(format!("the header {name:?} is not valid"));
            }
            if FRAMING.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(format!(
                    "the header {name:?} follows from the address and the body: remove it"
                ));
            }
        }
        if self.is_safe() && self.body.is_some() {
            return Err(format!("a {} has no body", self.method));
        }
        Ok(())
    }
}

/// The requests of paths.
///
/// # Errors
/// If a path does not begin with a slash.
pub fn of_paths(paths: &[String]) -> Result<Vec<RecordedRequest>, Failure> {
    let requests: Vec<RecordedRequest> = paths.iter().map(|path| RecordedRequest::of_path(path)).collect();
    for request in &requests {
        request
            .check()
            .map_err(|error| Failure::usage(error, "Write a path such as /health."))?;
    }
    Ok(requests)
}

/// The requests of a file: one JSON object a line; empty lines and lines that begin with `//` are left out.
///
/// # Errors
/// If the file cannot be read, or a line is not a request.
pub fn of_file(path: &Path) -> Result<Vec<RecordedRequest>, Failure> {
    const FORM: &str = "Write one request a line: {\"worker\": \"api\", \"method\": \"GET\", \"path\": \"/\", \"headers\": {}, \"body\": \"\"}; only \"path\" is required.";
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display()), FORM))?;
    let mut requests = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let request: Result<RecordedRequest, String> =
            serde_json::from_str(line).map_err(|error| error.to_string());
        let request = request.and_then(|request| request.check().map(|()| request));
        requests.push(
            request.map_err(|error| Failure::usage(format!("{}:{number}: {error}", path.display()), FORM))?,
        );
    }
    if requests.is_empty() {
        return Err(Failure::usage(
            format!("{} has no requests", path.display()),
            FORM,
        ));
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_file_has_one_request_a_line() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("requests.ndjson");
        fs::write(
            &path,
            "// Recorded on Monday.\n{\"path\": \"/\"}\n\n{\"worker\": \"api\", \"method\": \"POST\", \"path\": \"/x?a=1\", \"headers\": {\"accept\": \"*/*\"}, \"body\": \"b\"}\n",
        )
        .unwrap();
        let requests = of_file(&path).unwrap();
        assert_eq!(requests[0], RecordedRequest::of_path("/"));
        assert!(!requests[1].is_safe());
        assert_eq!(requests[1].worker.as_deref(), Some("api"));
        for (line, expected) in [
            ("{\"path\": \"x\"}", "begin with a slash"),
            ("{}", "path"),
            ("[]", "1:"),
            ("{\"path\": \"/\", \"url\": \"/\"}", "url"),
            ("{\"path\": \"/\", \"body\": \"b\"}", "no body"),
            ("{\"path\": \"/\", \"method\": \"G T\"}", "not a method"),
            ("{\"path\": \"/\", \"method\": \"CONNECT\"}", "not a method"),
            ("{\"path\": \"/\", \"method\": \"get\"}", "capitals"),
            (
                "{\"path\": \"/\", \"headers\": {\"a b\": \"c\"}}",
                "\"a b\" is not valid",
            ),
            (
                "{\"path\": \"/\", \"headers\": {\"a\": \"b\\r\\nc: d\"}}",
                "\"a\" is not valid",
            ),
            (
                "{\"path\": \"/\", \"headers\": {\"Host\": \"a\"}}",
                "follows from the address",
            ),
            ("// Nothing.", "has no requests"),
        ] {
            fs::write(&path, line).unwrap();
            let failure = of_file(&path).unwrap_err().text();
            assert!(failure.contains(expected), "{line}: {failure}");
        }
        assert!(of_paths(&["health".to_owned()]).is_err());
    }
}
