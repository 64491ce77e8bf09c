//! The two addresses of a Worker that `verify` compares, and requests to them.

use std::collections::BTreeMap;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Method, Request, Uri};
use url::Url;

use super::compare::Received;
use super::plan_file::PlannedWorker;
use super::requests::RecordedRequest;
use crate::client::loopback;
use crate::failure::Failure;

/// How long a response may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The most bytes of a body that are compared.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Sends requests. It follows no redirects and stores no cookies.
pub struct Requester(Agent);

impl Requester {
    /// A requester. Nothing is sent.
    pub fn new() -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("dotdo/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self(agent)
    }

    /// Sends a request to an address, such as `https://api.example.com`.
    ///
    /// # Errors
    /// If there is no response, or the address or the request is not valid.
    pub fn send(&self, address: &str, request: &RecordedRequest) -> Result<Received, String> {
        let url = Url::parse(&format!("{address}{}", request.path)).map_err(|error| error.to_string())?;
        let method: Method = request
            .method
            .parse()
            .map_err(|_| "the method is not valid".to_owned())?;
        let (target, host) = match loopback(url.as_str()) {
            // A host below localhost, which only some systems resolve.
            Some((base, host)) => (format!("{base}{}", &url[url::Position::BeforePath..]), Some(host)),
            None => (url.to_string(), None),
        };
        let target: Uri = target
            .parse()
            .map_err(|_| "the address is not valid".to_owned())?;
        let mut builder = Request::builder().method(method).uri(target);
        if let Some(host) = host {
            builder = builder.header("host", host);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = match &request.body {
            Some(body) => self
                .0
                .run(builder.body(body.clone()).map_err(|error| error.to_string())?),
            None => self.0.run(builder.body(()).map_err(|error| error.to_string())?),
        };
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.as_str().to_owned()).or_default().push(value);
        }
        let body = response
            .into_body()
            .into_with_config()
            .limit(LONGEST)
            .read_to_vec()
            .map_err(|error| error.to_string())?;
        Ok(Received {
            status,
            headers,
            body,
            origin: url.origin().ascii_serialization(),
        })
    }
}

/// The address of a Worker in the account: of the template, or of the plan. `None` if neither has one.
///
/// # Errors
/// If it is not valid.
pub fn old(template: Option<&str>, planned: &PlannedWorker) -> Result<Option<String>, Failure> {
    of(template, planned.address.as_deref(), planned, "--old")
}

/// The address of a Worker in the namespace: of the template, or the one that the deploy API knows. `None` if there is none.
///
/// # Errors
/// If it is not valid.
pub fn new(
    template: Option<&str>,
    known: Option<&str>,
    planned: &PlannedWorker,
) -> Result<Option<String>, Failure> {
    of(template, known, planned, "--new")
}

/// The address of a template such as `https://{worker}.example.com`, in which `{worker}` is the name of the Worker in the account and
/// `{to}` the one in the namespace, or else the known one.
fn of(
    template: Option<&str>,
    known: Option<&str>,
    planned: &PlannedWorker,
    option: &str,
) -> Result<Option<String>, Failure> {
    let address = match (template, known) {
        (Some(template), _) => template
            .replace("{worker}", &planned.from)
            .replace("{to}", &planned.to)
            .replace("{environment}", &planned.environment),
        (None, Some(address)) => address.to_owned(),
        (None, None) => return Ok(None),
    };
    let url = Url::parse(&address).ok().filter(|url| {
        let has_more = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        matches!(url.scheme(), "http" | "https") && url.has_host() && !has_more
    });
    match url {
        Some(url) => Ok(Some(url.as_str().trim_end_matches('/').to_owned())),
        None => Err(Failure::usage(
            format!(
                "the address of {} is {address:?}, and must be one such as https://api.example.com, without a user and a query",
                planned.from
            ),
            format!("Correct it in the plan, or pass {option} 'https://{{worker}}.example.com'."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan_file::tests::planned;
    use super::*;

    #[test]
    fn an_address_is_of_the_template_or_of_the_plan() {
        let mut worker = planned("api-staging", "api");
        assert_eq!(old(None, &worker).unwrap(), None);
        worker.address = Some("https://api.example.com".to_owned());
        assert_eq!(old(None, &worker).unwrap().unwrap(), "https://api.example.com");
        assert_eq!(
            old(Some("http://{worker}.test"), &worker).unwrap().unwrap(),
            "http://api-staging.test"
        );
        let template = Some("http://{environment}.{to}.do/");
        assert_eq!(
            new(template, None, &worker).unwrap().unwrap(),
            "http://staging.api.do"
        );
        for address in [
            "ftp://a",
            "x y",
            "http://[::1",
            "http://user:secret@a",
            "https://a/?b",
            "{worker}",
        ] {
            let failure = old(Some(address), &worker).unwrap_err().text();
            assert!(failure.contains("the address of api-staging is"), "{failure}");
        }
    }
}
