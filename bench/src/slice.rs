//! One load on one contender for a fraction of a second: a round consists of such slices.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    client::Connection,
    load::{Load, Requests},
    usage,
    usage::Usage,
    workerd::Workerd,
};

/// What one slice measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Slice {
    pub requests_per_second: f64,
    /// Time of the workerd process on a core for each request, in microseconds.
    pub cpu_us: f64,
    /// The median latency, in microseconds.
    pub p50_us: f64,
    /// The 99th percentile of the latencies, in microseconds.
    pub p99_us: f64,
    /// The most memory that the workerd process held, in bytes.
    pub peak_memory: u64,
    /// The part of the time that workerd was ready to run and had no core.
    pub waiting: f64,
}

/// How long a slice is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Lengths {
    pub warm_up: Duration,
    pub measured: Duration,
}

/// Runs the load on all its connections at once. Each connection sends its next request when the last is answered.
///
/// # Errors
/// When a response is not the expected one, or the number of data points is not that of the requests.
pub async fn run(workerd: &Workerd, load: Load, lengths: Lengths) -> Result<Slice> {
    let requests = Arc::new(load.requests());
    usage::reset_peak_memory(workerd.id())?;
    let mut connections = Vec::new();
    for _ in 0..load.connections() {
        connections.push(Connection::open(workerd.ports.http).await?);
    }
    let points = points(workerd, load).await?;
    let phase = Phase::run(connections, &requests, lengths.warm_up).await?;
    let warm_up = phase.latencies.len();
    let begun = Instant::now();
    let before = Usage::of(workerd.id())?;
    let mut phase = Phase::run(phase.connections, &requests, lengths.measured).await?;
    let used = Usage::of(workerd.id())?.since(before);
    let elapsed = begun.elapsed();
    let written = self::points(workerd, load).await? - points;
    let sent = warm_up + phase.latencies.len();
    if load == Load::Analytics && written != sent {
        bail!("{sent} requests wrote {written} data points");
    }
    phase.latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
    let requests = phase.latencies.len() as f64;
    Ok(Slice {
        requests_per_second: phase.requests_per_second,
        cpu_us: used.cpu.as_secs_f64() * 1e6 / requests,
        p50_us: phase.percentile(50),
        p99_us: phase.percentile(99),
        peak_memory: usage::peak_memory(workerd.id())?,
        waiting: used.waiting.as_secs_f64() / elapsed.as_secs_f64(),
    })
}

/// The number of data points that were written so far.
async fn points(workerd: &Workerd, load: Load) -> Result<usize> {
    if load == Load::Analytics {
        Ok(workerd.inspect().await?.points)
    } else {
        Ok(0)
    }
}

struct Phase {
    connections: Vec<Connection>,
    requests_per_second: f64,
    latencies: Vec<Duration>,
}

impl Phase {
    async fn run(connections: Vec<Connection>, requests: &Arc<Requests>, length: Duration) -> Result<Self> {
        let mut tasks = JoinSet::new();
        let count = connections.len();
        for (number, connection) in connections.into_iter().enumerate() {
            tasks.spawn(exchange(connection, Arc::clone(requests), number, count, length));
        }
        let mut phase = Self {
            connections: Vec::new(),
            requests_per_second: 0.0,
            latencies: Vec::new(),
        };
        while let Some(task) = tasks.join_next().await {
            let (connection, latencies, elapsed) = task.context("the load generator failed")??;
            phase.connections.push(connection);
            // Only whole requests count: a connection ends with the response to the last request that it sent in time.
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
            {
                phase.requests_per_second += latencies.len() as f64 / elapsed.as_secs_f64();
            }
            phase.latencies.extend(latencies);
        }
        Ok(phase)
    }

    /// The percentile of the sorted latencies, in microseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1);
        self.latencies
            .get(rank - 1)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e6
    }
}

async fn exchange(
    mut connection: Connection,
    requests: Arc<Requests>,
    first: usize,
    stride: usize,
    length: Duration,
) -> Result<(Connection, Vec<Duration>, Duration)> {
    let mut latencies = Vec::new();
    let begun = Instant::now();
    let mut number = first;
    loop {
        let (request, expected) = requests.make(number);
        let sent = Instant::now();
        connection.exchange(request, &expected).await?;
        latencies.push(sent.elapsed());
        let elapsed = begun.elapsed();
        if elapsed >= length {
            return Ok((connection, latencies, elapsed));
        }
        number += stride;
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the results are exact")]
mod tests {
    use super::*;

    #[test]
    fn percentiles_use_the_nearest_rank() {
        let latencies = (1..=200).map(Duration::from_micros).collect();
        let phase = Phase {
            connections: Vec::new(),
            requests_per_second: 0.0,
            latencies,
        };
        assert_eq!([phase.percentile(50), phase.percentile(99)], [100.0, 198.0]);
    }
}
