use secrecy::ExposeSecret;
use web_sys::AbortSignal;

use super::chunks::{Chunks, Unread};
use super::fetch::{Answered, Content, Failure, Outgoing};
use super::services::Services;
use super::upstream_body::send_with_body;
use crate::download::{Download, Downloads};
use crate::problem::Problem;
use crate::upload::{Source, SourceFailure};
use crate::upstream::{
    Bearer, MAX_ANSWER, Purpose, Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest,
};

impl Upstream for Services {
    async fn reserve(&self, purpose: Purpose) -> Result<(), Problem> {
        self.call_budget.take(self, self, purpose).await
    }

    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamAnswer, UpstreamFailure> {
        let answer = self.answer_to(request).await?;
        Ok(UpstreamAnswer {
            status: answer.status(),
            cf_ray: answer.header("cf-ray"),
            retry_after: answer.header("retry-after").and_then(|text| text.parse().ok()),
            body: answer.read(MAX_ANSWER).await.map_err(failure)?,
        })
    }
}

impl Downloads for Services {
    type Body = DownloadBody;

    async fn download(&self, request: UpstreamRequest) -> Result<Download<DownloadBody>, UpstreamFailure> {
        let answer = self.answer_to(request).await?;
        Ok(Download {
            status: answer.status(),
            content_type: answer.header("content-type"),
            entrypoint: answer.header("cf-entrypoint"),
            body: DownloadBody(answer.into_chunks()),
        })
    }
}

impl Services {
    async fn answer_to(&self, request: UpstreamRequest) -> Result<Answered, UpstreamFailure> {
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
        send_with_body(self.upstream(), outgoing, &request.body, self.bundles.as_ref())
            .await
            .map_err(failure)
    }
}

/// The body of an answer that is read while it arrives. It has the time limit of the request.
pub struct DownloadBody(Option<(Chunks, AbortSignal)>);

impl Source for DownloadBody {
    async fn next(&mut self) -> Result<Option<bytes::Bytes>, SourceFailure> {
        let Some((chunks, _)) = &self.0 else {
            return Ok(None);
        };
        let chunk = chunks
            .next()
            .await
            .map_err(|_: Unread| SourceFailure::Interrupted);
        if !matches!(chunk, Ok(Some(_))) {
            self.0 = None;
        }
        chunk
    }
}

impl Drop for DownloadBody {
    fn drop(&mut self) {
        if let Some((chunks, _)) = &self.0 {
            chunks.cancel();
        }
    }
}

const fn failure(failure: Failure) -> UpstreamFailure {
    match failure {
        Failure::Timeout => UpstreamFailure::Timeout,
        Failure::Connection => UpstreamFailure::Connection,
        Failure::Interrupted | Failure::TooLong => UpstreamFailure::Interrupted,
    }
}
