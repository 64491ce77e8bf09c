//! The HTTP client of Cloudflare's API.

use std::thread;
use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Method;

use super::base_url::BaseUrl;
use super::error::{Call, CloudflareError};
use super::exchange::{Connection, Envelope, Retry, Tried, unexpected};

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

/// The items of a page. Cloudflare allows at most 50 for zones.
const PAGE: usize = 50;

/// The most pages of a list that are read.
const PAGES: usize = 1000;

/// A client with one token. Its `Debug` text does not contain the token.
#[derive(Debug)]
pub struct Cloudflare {
    connection: Connection,
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
        Self {
            connection: Connection { agent, base, token },
        }
    }

    /// The address.
    #[must_use]
    pub const fn base(&self) -> &BaseUrl {
        &self.connection.base
    }

    /// The token, for programs that this one starts, such as wrangler.
    #[must_use]
    pub const fn token(&self) -> &SecretString {
        &self.connection.token
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
        let envelope = self
            .connection
            .exchange(&call, Some(body))
            .map_err(|tried| tried.error)?;
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
        self.connection
            .exchange(&call, None)
            .map(|_| ())
            .map_err(|tried| tried.error)
    }

    fn read(&self, call: &Call) -> Result<Envelope, CloudflareError> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            match self.connection.exchange(call, None) {
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
}

fn result<T: DeserializeOwned>(call: &Call, value: Value) -> Result<T, CloudflareError> {
    serde_json::from_value(value).map_err(|error| unexpected(call, &error))
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
