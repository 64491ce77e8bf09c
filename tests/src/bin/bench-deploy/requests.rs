//! Requests, and how long they take.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment;
use end_to_end::{Platform, Script};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Method, RequestBuilder};

/// The number of requests at the same time.
pub const CLIENTS: usize = 4;

/// The durations of requests: of each, and of all together.
pub struct Times {
    pub each: Vec<Duration>,
    all: Duration,
}

impl Times {
    pub fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.each.len()).unwrap_or(u32::MAX)) / self.all.as_secs_f64()
    }
}

pub async fn timed(requests: impl Iterator<Item = RequestBuilder>, clients: usize) -> Result<Times> {
    let begin = Instant::now();
    let each = stream::iter(requests)
        .map(|request| async {
            let begin = Instant::now();
            send(request).await?;
            Ok::<_, anyhow::Error>(begin.elapsed())
        })
        .buffer_unordered(clients)
        .try_collect()
        .await
        .context("a request failed")?;
    Ok(Times {
        each,
        all: begin.elapsed(),
    })
}

pub async fn send(request: RequestBuilder) -> Result<String> {
    let answer = request.send().await?;
    let status = answer.status();
    let body = answer.text().await?;
    ensure!(status.is_success(), "{status}: {body}");
    Ok(body)
}

/// A small deploy to the staging namespace. `salt` makes its content unique.
pub fn deploy(platform: &Platform, number: usize, salt: &str) -> RequestBuilder {
    let path = platform.script_path(Environment::Staging, &format!("bench-{}", number % 16));
    let script = Script::answering(&format!("{salt}-{number}"));
    platform.api(Method::PUT, &path).multipart(script.to_form())
}
