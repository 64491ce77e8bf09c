use secrecy::ExposeSecret;

use super::fetch::{Failure, Outgoing, send};
use super::surroundings::Surroundings;
use crate::upstream::{Bearer, MAX_ANSWER, Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest};

impl Upstream for Surroundings {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamAnswer, UpstreamFailure> {
        let secret = match &request.bearer {
            Bearer::Account => &self.settings.account_token,
            Bearer::AssetSession(jwt) => jwt,
        };
        let authorization = format!("Bearer {}", secret.expose_secret());
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("user-agent", "dotdo-deploy-api"),
        ];
        if let Some(content_type) = &request.content_type {
            headers.push(("content-type", content_type));
        }
        // Pieces of the bundle store cannot be sent yet, and no caller makes any.
        let body = request.body.in_memory().ok_or(UpstreamFailure::Connection)?;
        let outgoing = Outgoing {
            method: request.method.as_str(),
            url: &format!("{}{}", self.settings.upstream_url, request.path_and_query()),
            headers: &headers,
            body: &body,
            timeout: self.settings.upstream_timeout_milliseconds(),
        };
        let answer = send(&self.upstream, &outgoing).await.map_err(failure)?;
        Ok(UpstreamAnswer {
            status: answer.status(),
            cf_ray: answer.header("cf-ray"),
            retry_after: answer.header("retry-after").and_then(|text| text.parse().ok()),
            body: answer.read(MAX_ANSWER).await.map_err(failure)?,
        })
    }
}

const fn failure(failure: Failure) -> UpstreamFailure {
    match failure {
        Failure::Timeout => UpstreamFailure::Timeout,
        Failure::Connection => UpstreamFailure::Connection,
        Failure::Interrupted | Failure::TooLong => UpstreamFailure::Interrupted,
    }
}
