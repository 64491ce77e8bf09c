//! Long answers of the Cloudflare API that are read while they arrive: the modules of an account Worker.

use crate::runtime::Runtime;
use crate::upload::Source;
use crate::upstream::{CallFailure, Upstream, UpstreamAnswer, UpstreamFailure, UpstreamRequest, failure_of};

/// The most bytes that are read of the answer of a call that failed.
const MAX_FAILURE: usize = 64 * 1024;

/// An answer whose body has not been read.
#[derive(Debug)]
pub struct Download<B: Source> {
    /// The HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The header `cf-entrypoint`, which names the main module of a Worker in the format of ES modules.
    pub entrypoint: Option<String>,
    /// The body.
    pub body: B,
}

/// Opens answers of the Cloudflare API.
pub trait Downloads {
    /// A body.
    type Body: Source;

    /// Sends a call and returns before the body of its answer is read. Everything else is as with
    /// [`Upstream::send`], except for the limit of the body.
    ///
    /// # Errors
    /// If no answer began.
    fn download(
        &self,
        request: UpstreamRequest,
    ) -> impl Future<Output = Result<Download<Self::Body>, UpstreamFailure>>;
}

/// Reserves and makes a call, and returns its answer if it succeeded.
///
/// # Errors
/// Why it did not.
pub async fn open<S: Upstream + Downloads + Runtime>(
    services: &S,
    request: UpstreamRequest,
) -> Result<Download<S::Body>, CallFailure> {
    services
        .reserve(request.purpose)
        .await
        .map_err(CallFailure::not_sent)?;
    let mut download = services.download(request).await.map_err(CallFailure::of)?;
    if (200..300).contains(&download.status) {
        return Ok(download);
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = download.body.next().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_FAILURE {
            break;
        }
    }
    Err(failure_of(&UpstreamAnswer {
        status: download.status,
        cf_ray: None,
        retry_after: None,
        body,
    }))
}
