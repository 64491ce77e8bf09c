use secrecy::ExposeSecret;

use super::fetch::{Content, Failure, Outgoing};
use super::services::Services;
use super::upstream_body::send_with_body;
use crate::problem::Problem;
use crate::upstream::{
    Bearer, MAX_ANSWER, Purpose, Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest,
};

impl Upstream for Services {
    async fn reserve(&self, purpose: Purpose) -> Result<(), Problem> {
        self.call_budget.take(self, self, purpose).await
    }

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
        if let Some(jurisdiction) = &request.jurisdiction {
            headers.push(("cf-r2-jurisdiction", jurisdiction));
        }
        let url = format!("{}{}", self.settings.upstream_url, request.path_and_query());
        let outgoing = Outgoing {
            method: request.method.as_str(),
            url: &url,
            headers: &headers,
            body: Content::Empty,
            timeout: self.settings.upstream_timeout_milliseconds(),
        };
        let answer = send_with_body(self.upstream(), outgoing, &request.body, self.bundles.as_ref())
            .await
            .map_err(failure)?;
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
