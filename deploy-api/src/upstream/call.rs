use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Value;

use super::{Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest};
use crate::audit;
use crate::code::Code;
use crate::problem::{Problem, UpstreamError};
use crate::runtime::Runtime;

/// Cloudflare's codes for a script that does not exist, in the account and in a namespace.
const ABSENT: [u32; 3] = [10007, 10090, 10092];

/// The number of seconds before a retry, if the upstream does not send one.
const RETRY_AFTER: u32 = 5;

/// The result of a call, and the part of it that is recorded.
#[derive(Debug)]
pub struct Called {
    /// For the audit log.
    pub record: audit::Upstream,
    /// The envelope's `result` and `result_info`, or why there is none.
    pub outcome: Result<Reply, CallFailure>,
}

/// The answer of the upstream to a call that it executed.
#[derive(Debug)]
pub struct Reply {
    /// The envelope's `result`.
    pub result: Value,
    /// The members of a list's page.
    pub info: Option<Value>,
}

/// Why a call was not executed, or may not have been.
#[derive(Debug)]
pub struct CallFailure {
    /// The error for the caller.
    pub problem: Problem,
    /// Whether it was executed.
    pub effect: Effect,
    /// Whether the upstream said that there is no such script.
    pub absent: bool,
}

/// The effect of a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// None: the upstream rejected it.
    None,
    /// It may have been executed. The upstream does not process it any more.
    Unknown,
    /// It may have been executed, or may still be.
    Pending,
}

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    result_info: Option<Value>,
    #[serde(default)]
    errors: Option<Vec<Error>>,
}

#[derive(Deserialize)]
struct Error {
    code: u32,
    #[serde(default)]
    message: String,
    #[serde(default)]
    meta: Option<Value>,
}

/// Reserves and makes a call, and reads its answer as Cloudflare's envelope.
pub async fn call(services: &(impl Upstream + Runtime), request: UpstreamRequest) -> Called {
    let began = services.now();
    if let Err(problem) = services.reserve(request.purpose).await {
        return Called {
            record: audit::Upstream::default(),
            outcome: Err(CallFailure::not_sent(problem)),
        };
    }
    let answer = services.send(request).await;
    let took = services.now().duration_since(began).as_millis();
    let (status, cf_ray) = match &answer {
        Ok(answer) => (Some(answer.status), answer.cf_ray.clone()),
        Err(_) => (None, None),
    };
    Called {
        record: audit::Upstream {
            status,
            cf_ray,
            milliseconds: u64::try_from(took).unwrap_or_default(),
        },
        outcome: match answer {
            Ok(answer) => read(&answer),
            Err(failure) => Err(CallFailure::of(failure)),
        },
    }
}

fn read(answer: &UpstreamAnswer) -> Result<Reply, CallFailure> {
    let envelope: Option<Envelope> = serde_json::from_slice(&answer.body).ok();
    let succeeded = (200..300).contains(&answer.status);
    match envelope {
        Some(envelope) if succeeded && envelope.success => Ok(Reply {
            result: envelope.result,
            info: envelope.result_info,
        }),
        // The response to a deletion may be empty.
        None if answer.status == 204 => Ok(Reply {
            result: Value::Null,
            info: None,
        }),
        envelope => Err(refusal(answer, envelope)),
    }
}

/// The failure that an answer with another status than 2xx reports.
#[must_use]
pub fn failure_of(answer: &UpstreamAnswer) -> CallFailure {
    refusal(answer, serde_json::from_slice(&answer.body).ok())
}

fn refusal(answer: &UpstreamAnswer, envelope: Option<Envelope>) -> CallFailure {
    let is_envelope = envelope.is_some();
    let error = envelope
        .and_then(|envelope| envelope.errors)
        .and_then(|errors| errors.into_iter().next());
    let absent = answer.status == 404 && error.as_ref().is_some_and(|error| ABSENT.contains(&error.code));
    let status = answer.status;
    let (mut problem, effect) = match status {
        429 => (
            Problem::new(
                Code::UpstreamRateLimited,
                "The Cloudflare API limits the rate of calls.",
                "Wait, then try again.",
            )
            .retry_after(answer.retry_after.unwrap_or(RETRY_AFTER)),
            Effect::None,
        ),
        401 | 403 if is_envelope => (
            Problem::new(
                Code::UpstreamCredentialRefused,
                "The Cloudflare API does not accept the token of the deploy API. Your token is valid.",
                "Tell an operator: the secret CLOUDFLARE_API_TOKEN has expired or lacks \"Workers Scripts: Edit\".",
            ),
            Effect::None,
        ),
        400..500 if is_envelope => (
            Problem::new(
                Code::UpstreamRefused,
                format!(
                    "{} rejected the call; its error is included.",
                    author(error.as_ref())
                ),
                "Correct the error, and deploy again.",
            ),
            Effect::None,
        ),
        _ => {
            let effect = match status {
                400..500 => Effect::None,
                500..600 if is_envelope => Effect::Unknown,
                _ => Effect::Pending,
            };
            let what = if is_envelope {
                format!("The Cloudflare API failed with status {status}.")
            } else {
                format!("The Cloudflare API answered with status {status} and no JSON.")
            };
            (unavailable(what, answer.retry_after), effect)
        }
    };
    problem.upstream = error.map(|error| {
        Box::new(UpstreamError {
            code: error.code,
            message: error.message,
            meta: error.meta,
        })
    });
    CallFailure {
        problem,
        effect,
        absent,
    }
}

/// The codes that only the local platform returns (`local/src/refusal.ts`), such as that for a binding that it does not simulate.
const CODES_OF_LOCAL_PLATFORM: RangeInclusive<u32> = 10900..=10902;

/// Who returned an error.
fn author(error: Option<&Error>) -> &'static str {
    match error {
        Some(error) if CODES_OF_LOCAL_PLATFORM.contains(&error.code) => "The local platform",
        _ => "The Cloudflare API",
    }
}

fn unavailable(what: String, retry_after: Option<u32>) -> Problem {
    Problem::new(Code::UpstreamUnavailable, what, "Try again in a moment.")
        .retry_after(retry_after.unwrap_or(RETRY_AFTER))
}

impl CallFailure {
    /// The failure of a call that was not sent.
    pub(crate) const fn not_sent(problem: Problem) -> Self {
        Self {
            problem,
            effect: Effect::None,
            absent: false,
        }
    }

    /// The failure of a call without a complete answer.
    pub(crate) fn of(failure: UpstreamFailure) -> Self {
        let problem = match failure {
            UpstreamFailure::Timeout => Problem::new(
                Code::UpstreamTimeout,
                "The Cloudflare API did not answer in time.",
                "Try again in a moment.",
            )
            .retry_after(RETRY_AFTER),
            UpstreamFailure::Connection => {
                unavailable("The Cloudflare API could not be reached.".to_owned(), None)
            }
            UpstreamFailure::Interrupted => unavailable(
                "The response of the Cloudflare API was incomplete.".to_owned(),
                None,
            ),
        };
        Self {
            problem,
            effect: Effect::Pending,
            absent: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Reply, CallFailure> {
        read(&UpstreamAnswer {
            status,
            cf_ray: None,
            retry_after: None,
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn an_error_names_the_api_that_returned_it() {
        for (code, author) in [(10021, "The Cloudflare API "), (10901, "The local platform ")] {
            let body = format!(r#"{{"success": false, "errors": [{{"code": {code}, "message": "m"}}]}}"#);
            let problem = answer(400, &body).unwrap_err().problem;
            assert!(problem.detail.starts_with(author), "{}", problem.detail);
        }
    }

    #[test]
    fn every_answer_is_a_result_or_a_code() {
        let refused = r#"{"success": false, "result": null, "errors": [{"code": 10021, "message": "m"}], "messages": []}"#;
        let html = "<html>Bad gateway</html>";
        for (status, body, code, effect) in [
            (400, refused, Code::UpstreamRefused, Effect::None),
            (200, refused, Code::UpstreamUnavailable, Effect::Pending),
            (403, refused, Code::UpstreamCredentialRefused, Effect::None),
            (401, refused, Code::UpstreamCredentialRefused, Effect::None),
            (429, html, Code::UpstreamRateLimited, Effect::None),
            (500, refused, Code::UpstreamUnavailable, Effect::Unknown),
            (502, html, Code::UpstreamUnavailable, Effect::Pending),
            (200, html, Code::UpstreamUnavailable, Effect::Pending),
            (200, "", Code::UpstreamUnavailable, Effect::Pending),
            (403, html, Code::UpstreamUnavailable, Effect::None),
            (302, "", Code::UpstreamUnavailable, Effect::Pending),
        ] {
            let failure = answer(status, body).unwrap_err();
            assert_eq!(
                (failure.problem.code, failure.effect),
                (code, effect),
                "{status} {body}"
            );
            assert!(!failure.absent);
        }
        assert_eq!(
            answer(200, r#"{"success": true, "result": 7}"#).unwrap().result,
            7
        );
        assert_eq!(answer(204, "").unwrap().result, Value::Null);
        let absent = refused.replace("10021", "10092");
        assert!(answer(404, &absent).unwrap_err().absent);
        assert!(!answer(404, refused).unwrap_err().absent);
    }
}
