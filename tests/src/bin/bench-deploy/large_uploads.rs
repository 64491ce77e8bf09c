//! Small deploys beside large uploads of another client.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Platform, Script};
use reqwest::Method;

use crate::Arguments;
use crate::figure::{Figure, percentile};
use crate::requests::{Times, deploy, send, timed};

/// The size of the large upload, in bytes.
const LARGE: usize = 30 * 1024 * 1024;

/// How much uploads of 30 MiB delay the deploys of another client: through the API, and directly as the control. Both share the
/// cores of one machine with the uploads.
pub async fn beside_large_upload(
    platform: &Platform,
    upstream: &Platform,
    arguments: &Arguments,
) -> Result<Vec<Figure>> {
    let through = "through the API";
    let mut measured = [(through, platform), ("directly", upstream)].map(|(name, platform)| SmallDeploys {
        name,
        platform,
        alone: Vec::new(),
        beside: Vec::new(),
        control: Vec::new(),
    });
    for round in 0..arguments.rounds {
        for measured in &mut measured {
            measured.round(round, arguments.deploys).await?;
        }
        eprintln!("large uploads: round {} of {}", round + 1, arguments.rounds);
    }
    let figures = measured.into_iter().flat_map(|measured| {
        let SmallDeploys { name, .. } = measured;
        let [alone, beside, control] =
            [measured.alone, measured.beside, measured.control].map(|times| percentile(times, 99));
        let target = (name == through).then_some("at most 1.5");
        [
            Figure::new(format!("p99 of a deploy {name}"), alone, "ms", None),
            Figure::new(format!("p99 {name} during uploads of 30 MiB"), beside, "ms", None),
            Figure::new(
                format!("during uploads : alone, {name}"),
                beside / alone,
                "",
                target,
            ),
            Figure::new(format!("alone : alone (A/A), {name}"), control / alone, "", None),
        ]
    });
    Ok(figures.collect())
}

/// The times of small deploys to one platform, alone and beside uploads of 30 MiB.
struct SmallDeploys<'a> {
    name: &'static str,
    platform: &'a Platform,
    alone: Vec<Duration>,
    beside: Vec<Duration>,
    /// Alone once more, as the A/A control.
    control: Vec<Duration>,
}

impl SmallDeploys<'_> {
    async fn round(&mut self, round: usize, deploys: usize) -> Result<()> {
        let platform = self.platform;
        let small = |salt: String| {
            let requests = (0..deploys).map(move |number| deploy(platform, number, &salt));
            timed(requests, 1)
        };
        self.alone.extend(small(format!("a{round}")).await?.each);
        let beside = during(small(format!("b{round}")), upload_large(platform)).await?;
        self.beside.extend(beside.each);
        self.control.extend(small(format!("c{round}")).await?.each);
        Ok(())
    }
}

/// Runs a measurement while uploads repeat.
async fn during(
    measured: impl Future<Output = Result<Times>>,
    load: impl Future<Output = Result<()>>,
) -> Result<Times> {
    tokio::select! {
        times = measured => times,
        ended = load => {
            ended?;
            anyhow::bail!("the uploads ended before the measurement")
        }
    }
}

async fn upload_large(platform: &Platform) -> Result<()> {
    let path = platform.script_path(Environment::Staging, "bench-large");
    for number in 0_u64.. {
        let content: Vec<u8> = number.to_le_bytes().into_iter().cycle().take(LARGE).collect();
        let script = Script::answering("large").with_module("large.bin", "application/octet-stream", content);
        send(platform.api(Method::PUT, &path).multipart(script.to_form())).await?;
    }
    Ok(())
}
