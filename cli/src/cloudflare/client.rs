//! The HTTP client of Cloudflare's API.

use std::fmt;
use std::thread;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::http::{Method, Request, Response, header::RETRY_AFTER};
use ureq::{Agent, Body};

use super::base_url::BaseUrl;
use super::error::{ApiError, Call, CloudflareError};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a call may take.
const CALL: Duration = Duration::from_mins(1);

/// How often a read is tried. A write is tried once, because it may have been executed although no answer arrived.
const READS: u32 = 3;

/// The pause before the second try of a read; it doubles with each.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause that Cloudflare may ask for with `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The items of a page. Cloudflare allows at most 50 for zones.
const PAGE: usize = 50;

/// The most pages of a list that are read.
const PAGES: usize = 1000;

/// A client with one token. Its `Debug` text does not contain the token.
#[derive(Debug)]
pub struct Cloudflare {
    agent: Agent,
    base: BaseUrl,
    token: SecretString,
}

/// What every answer has around its result: <https://developers.cloudflare.com/fundamentals/api/reference/>.
#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    errors: Vec<ApiError>,
    #[serde(default)]
    result_info: Option<ResultInfo>,
}

/// How a list continues.
#[derive(Default, Deserialize)]
struct ResultInfo {
    #[serde(default)]
    page: Option<usize>,
    #[serde(default)]
    total_pages: Option<usize>,
}

impl Cloudflare {
    /// A client. Nothing is sent.
    #[must_use]
    pub fn new(base: BaseUrl, token: SecretString) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the token to another host.
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(CALL))
            .user_agent(concat!("dotdo/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent, base, token }
    }

    /// The address.
    #[must_use]
    pub const fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// The token, for programs that this one starts, such as wrangler.
    #[must_use]
    pub const fn token(&self) -> &SecretString {
        &self.token
    }

    /// Reads the result at a path, which begins with `/`. Retries twice if there is no answer, or Cloudflare cannot answer now.
    ///
    /// # Errors
    /// The refusal of Cloudflare, or that it did not answer.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CloudflareError> {
        let call = Call {
            method: Method::GET,
            path: path.to_owned(),
        };
        let envelope = self.read(&call)?;
        result(&call, envelope.result)
    }

    /// Reads every item of a list, page by page. `path` begins with `/`, and has no query or one without `page` and `per_page`.
    ///
    /// # Errors
    /// The refusal of Cloudflare, or that it did not answer.
    pub fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, CloudflareError> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        for page in 1..=PAGES {
            let call = Call {
                method: Method::GET,
                path: format!("{path}{separator}page={page}&per_page={PAGE}"),
            };
            let envelope = self.read(&call)?;
            let of_page: Vec<T> = result(&call, envelope.result)?;
            let is_empty = of_page.is_empty();
            items.extend(of_page);
            // Lists without pages do not say how many there are, and ignore the parameters.
            let info = envelope.result_info.unwrap_or_default();
            let has_more = info.page == Some(page) && info.total_pages.is_some_and(|pages| pages > page);
            if is_empty || !has_more {
                return Ok(items);
            }
        }
        Err(CloudflareError::Unexpected {
            call: Call {
                method: Method::GET,
                path: path.to_owned(),
            },
            reason: format!("the list has more than {PAGES} pages"),
        })
    }

    /// Makes a change with a JSON body, once.
    ///
    /// # Errors
    /// The refusal of Cloudflare, or that it did not answer; then it is not known whether the change was made.
    pub fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CloudflareError> {
        let call = Call {
            method,
            path: path.to_owned(),
        };
        let body = serde_json::to_string(body).map_err(|error| unexpected(&call, &error))?;
        let envelope = self.exchange(&call, Some(body)).map_err(|tried| tried.error)?;
        result(&call, envelope.result)
    }

    /// Deletes the object at a path, once.
    ///
    /// # Errors
    /// The refusal of Cloudflare, or that it did not answer; then it is not known whether the object was deleted.
    pub fn delete(&self, path: &str) -> Result<(), CloudflareError> {
        let call = Call {
            method: Method::DELETE,
            path: path.to_owned(),
        };
        self.exchange(&call, None)
            .map(|_| ())
            .map_err(|tried| tried.error)
    }

    fn read(&self, call: &Call) -> Result<Envelope, CloudflareError> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            match self.exchange(call, None) {
                Ok(envelope) => return Ok(envelope),
                Err(Tried {
                    retry: Retry::After(asked),
                    ..
                }) if tries < READS => thread::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)),
                Err(Tried { error, .. }) => return Err(error),
            }
            pause *= 2;
            tries += 1;
        }
    }

    fn exchange(&self, call: &Call, body: Option<String>) -> Result<Envelope, Tried> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.base, call.path))
            .header("authorization", format!("Bearer {}", self.token.expose_secret()));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let sent = match body {
            Some(body) => request.body(body).map(|request| self.agent.run(request)),
            None => request.body(()).map(|request| self.agent.run(request)),
        };
        let sent = sent.map_err(|error| Tried::finally(unexpected(call, &error)))?;
        let response = sent.map_err(|error| Tried::again(self.unreachable(call, &error), None))?;
        self.answer(call, response)
    }

    fn answer(&self, call: &Call, response: Response<Body>) -> Result<Envelope, Tried> {
        let status = response.status();
        let pause = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let text = response
            .into_body()
            .into_with_config()
            .limit(LONGEST)
            .read_to_string()
            .map_err(|error| match error {
                ureq::Error::BodyExceedsLimit(_) => Tried::finally(unexpected(
                    call,
                    &format_args!("it is longer than {} MiB", LONGEST / 1024 / 1024),
                )),
                error => Tried::again(self.unreachable(call, &error), None),
            })?;
        if status.is_success() {
            let envelope: Envelope =
                serde_json::from_str(&text).map_err(|error| Tried::finally(unexpected(call, &error)))?;
            return if envelope.success {
                Ok(envelope)
            } else {
                Err(Tried::finally(refused(call, status.as_u16(), envelope.errors)))
            };
        }
        let errors = serde_json::from_str(&text)
            .map(|envelope: Envelope| envelope.errors)
            .unwrap_or_default();
        let error = refused(call, status.as_u16(), errors);
        Err(if status.as_u16() == 429 || status.is_server_error() {
            Tried::again(error, pause)
        } else {
            Tried::finally(error)
        })
    }

    fn unreachable(&self, call: &Call, error: &ureq::Error) -> CloudflareError {
        CloudflareError::Unreachable {
            call: call.clone(),
            reason: format!("{error} ({})", self.base),
        }
    }
}

/// A call that failed, and whether another try may succeed.
struct Tried {
    error: CloudflareError,
    retry: Retry,
}

/// Whether a read is tried again.
enum Retry {
    Never,
    /// After the pause for which Cloudflare asked, if it did.
    After(Option<Duration>),
}

impl Tried {
    const fn finally(error: CloudflareError) -> Self {
        Self {
            error,
            retry: Retry::Never,
        }
    }

    const fn again(error: CloudflareError, pause: Option<Duration>) -> Self {
        Self {
            error,
            retry: Retry::After(pause),
        }
    }
}

fn result<T: DeserializeOwned>(call: &Call, value: Value) -> Result<T, CloudflareError> {
    serde_json::from_value(value).map_err(|error| unexpected(call, &error))
}

fn refused(call: &Call, status: u16, errors: Vec<ApiError>) -> CloudflareError {
    CloudflareError::Refused {
        call: call.clone(),
        status,
        errors,
    }
}

fn unexpected(call: &Call, reason: &dyn fmt::Display) -> CloudflareError {
    CloudflareError::Unexpected {
        call: call.clone(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cloudflare::scripted::{failure, server, success};

    #[test]
    fn a_read_is_tried_again_and_a_write_is_not() {
        let (client, served) = server(vec![
            failure(500, 10002),
            failure(429, 971),
            success(&json!(7), &Value::Null),
        ]);
        assert_eq!(client.get::<u8>("/number").unwrap(), 7);
        let requests = served.join().unwrap();
        assert!(
            requests[0].starts_with("GET /client/v4/number HTTP/1.1"),
            "{}",
            requests[0]
        );
        assert!(requests[0].contains("Bearer secret-token"), "{}", requests[0]);

        let (client, served) = server(vec![failure(500, 10002)]);
        let error = client
            .send::<Value>(Method::POST, "/things", &json!({ "name": "a" }))
            .unwrap_err();
        assert!(error.is(10002), "{error}");
        assert_eq!(served.join().unwrap().len(), 1);
    }

    #[test]
    fn a_refusal_is_not_tried_again_and_keeps_its_code() {
        let (client, served) = server(vec![failure(403, 10000)]);
        let error = client.get::<Value>("/zones").unwrap_err();
        assert!(error.is_permission_missing(), "{error}");
        assert_eq!(served.join().unwrap().len(), 1);
    }

    #[test]
    fn every_page_of_a_list_is_read() {
        let page = |page: usize, items: &Value| success(items, &json!({ "page": page, "total_pages": 2 }));
        let (client, served) = server(vec![page(1, &json!([1, 2])), page(2, &json!([3]))]);
        assert_eq!(client.list::<u8>("/zones?name=a").unwrap(), [1, 2, 3]);
        let requests = served.join().unwrap();
        assert!(
            requests[1].contains("/zones?name=a&page=2&per_page=50 "),
            "{}",
            requests[1]
        );
    }

    #[test]
    fn other_answers_are_errors_that_do_not_contain_the_token() {
        for (status, body) in [
            (200, "<html>"),
            (302, ""),
            (200, r#"{"success": true, "result": "text"}"#),
        ] {
            let (client, served) = server(vec![(status, body.to_owned())]);
            let error = client.get::<u8>("/number").unwrap_err();
            assert!(error.to_string().contains("GET /number"), "{error}");
            served.join().unwrap();
            assert!(!format!("{client:?}{error:?}").contains("secret-token"));
        }
    }
}
