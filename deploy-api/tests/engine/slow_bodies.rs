//! The memory of a request whose body arrives slowly.

use bytes::Bytes;
use deploy_api::upload::{BUDGET, Source, SourceFailure};
use futures_executor::block_on;

use super::platform::Platform;
use super::wrangler_upload::Upload;

/// A body with four minutes between its chunks. A permit expires after five minutes.
struct Slow<'a> {
    platform: &'a Platform,
    chunks: Vec<Bytes>,
}

/// Whether the whole budget is free.
async fn is_all_free(platform: &Platform) -> bool {
    platform
        .gateway(async |gateway| {
            gateway
                .admission
                .acquire(gateway.services, BUDGET, 0)
                .await
                .is_ok()
        })
        .await
}

impl Source for Slow<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        self.platform.cloud.pass(240);
        assert!(!is_all_free(self.platform).await, "the body still has its permit");
        Ok(self.chunks.pop())
    }
}

#[test]
fn a_slow_body_keeps_its_memory() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let (content_type, form) = Upload::of("one").form();
    let quarters = form.chunks(form.len().div_ceil(4));
    let body = Slow {
        platform: &platform,
        chunks: quarters.rev().map(Bytes::copy_from_slice).collect(),
    };
    let headers = [("content-type", content_type.as_str())];
    let answer = block_on(platform.send(&token, "PUT S?excludeScript=true", &headers, body));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(block_on(is_all_free(&platform)));
}
