//! One call: a request, and the answer in the envelope that Cloudflare puts around every result.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::{Request, Response, header::RETRY_AFTER};
use ureq::{Agent, Body};

use super::base_url::BaseUrl;
use super::error::{ApiError, Call, CloudflareError};

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What every answer has around its result: <https://developers.cloudflare.com/fundamentals/api/reference/>.
#[derive(Deserialize)]
pub struct Envelope {
    success: bool,
    /// The result; null if there is none.
    #[serde(default)]
    pub result: Value,
    #[serde(default)]
    errors: Vec<ApiError>,
    /// How a list continues.
    #[serde(default)]
    pub result_info: Option<ResultInfo>,
}

/// How a list continues.
#[derive(Default, Deserialize)]
pub struct ResultInfo {
    /// The number of this page.
    #[serde(default)]
    pub page: Option<usize>,
    /// The number of all pages.
    #[serde(default)]
    pub total_pages: Option<usize>,
}

/// A call that failed, and whether another try may succeed.
pub struct Tried {
    /// Why.
    pub error: CloudflareError,
    /// Whether another try may succeed.
    pub retry: Retry,
}

/// Whether a read is tried again.
pub enum Retry {
    /// It is not.
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

/// Where calls are sent, and with which token. Its `Debug` text does not contain the token.
#[derive(Debug)]
pub struct Connection {
    /// The HTTP client.
    pub agent: Agent,
    /// The address.
    pub base: BaseUrl,
    /// The token.
    pub token: SecretString,
}

impl Connection {
    /// Makes a call once.
    ///
    /// # Errors
    /// Why it failed, and whether another try may succeed.
    pub fn exchange(&self, call: &Call, body: Option<String>) -> Result<Envelope, Tried> {
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

fn refused(call: &Call, status: u16, errors: Vec<ApiError>) -> CloudflareError {
    CloudflareError::Refused {
        call: call.clone(),
        status,
        errors,
    }
}

/// An answer that is not one of the API.
pub fn unexpected(call: &Call, reason: &dyn fmt::Display) -> CloudflareError {
    CloudflareError::Unexpected {
        call: call.clone(),
        reason: reason.to_string(),
    }
}
