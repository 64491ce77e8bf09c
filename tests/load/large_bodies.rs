//! Large bodies in bounded memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::{Platform, Script};
use futures_util::{StreamExt, stream};
use reqwest::{Body, Method};
use tokio::task::JoinHandle;

const PIECE: usize = 64 * 1024;
/// The pieces of the first transfer, about 100 MB. After it, the runtime has allocated the memory that it keeps.
const PIECES: usize = 1600;
/// How many times as large the measured transfers are.
const TIMES: usize = 3;
/// How much more memory a measured transfer may take at its peak, in bytes. A buffered body would take 200 MB more than in
/// the first transfer; the memory of streams, their buffers and garbage does not grow with the body.
const ALLOWANCE: u64 = 100_000_000;

const SCRIPT: &str = "
    const PIECE = new Uint8Array(64 * 1024);
    export default { async fetch(request) {
        const { pathname, searchParams } = new URL(request.url);
        if (pathname.endsWith('/echo')) return new Response(request.body);
        if (pathname.endsWith('/up')) {
            let size = 0;
            for await (const chunk of request.body) size += chunk.byteLength;
            return new Response(String(size));
        }
        let left = Number(searchParams.get('pieces'));
        return new Response(new ReadableStream({
            type: 'bytes',
            pull(controller) {
                if (left === 0) return controller.close();
                left -= 1;
                controller.enqueue(PIECE.slice());
            },
        }));
    } };";

/// Samples the runtime's memory until [`Watch::peak`] returns the maximum.
struct Watch {
    done: Arc<AtomicBool>,
    peak: JoinHandle<Result<u64>>,
}

impl Watch {
    fn start(platform: &'static Platform) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        let peak = tokio::spawn(async move {
            let mut peak = 0;
            while !flag.load(SeqCst) {
                peak = peak.max(memory(platform)?);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(peak)
        });
        Self { done, peak }
    }

    async fn peak(self) -> Result<u64> {
        self.done.store(true, SeqCst);
        self.peak.await?
    }
}

/// The resident memory of the workerd processes, in bytes.
fn memory(platform: &Platform) -> Result<u64> {
    let processes = platform.processes()?;
    let runtimes: Vec<_> = processes
        .iter()
        .filter(|process| process.name == "workerd")
        .collect();
    ensure!(!runtimes.is_empty(), "no workerd in {processes:?}");
    Ok(runtimes
        .into_iter()
        .map(end_to_end::processes::Process::memory)
        .sum())
}

/// A streamed body of some pieces.
fn body(pieces: usize) -> Body {
    let pieces = (0..pieces).map(|_| Ok::<_, std::io::Error>(vec![7_u8; PIECE]));
    Body::wrap_stream(stream::iter(pieces))
}

/// Reads a response to its end, and returns its size in bytes.
async fn received(response: reqwest::Response) -> Result<usize> {
    ensure!(response.status() == 200, "{}", response.status());
    let mut size = 0;
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        size += chunk?.len();
    }
    Ok(size)
}

/// Transfers some pieces up, down or both ways, and returns how many bytes arrived.
async fn transfer(
    platform: &Platform,
    host: &str,
    prefix: &str,
    direction: &str,
    pieces: usize,
) -> Result<usize> {
    let path = |end: &str| format!("{prefix}/{end}");
    match direction {
        "up" => {
            let request = platform
                .request(Method::POST, host, &path("up"))
                .body(body(pieces));
            Ok(request.send().await?.text().await?.parse()?)
        }
        "down" => {
            let path = path(&format!("down?pieces={pieces}"));
            received(platform.request(Method::GET, host, &path).send().await?).await
        }
        _ => {
            let request = platform
                .request(Method::PUT, host, &path("echo"))
                .body(body(pieces));
            received(request.send().await?).await
        }
    }
}

/// 100 MB and 300 MB up, down and both ways, with and without a stripped prefix.
#[end_to_end::test]
async fn streams_large_bodies_in_bounded_memory() -> Result<()> {
    let (platform, _guard) = super::platform().await;
    platform
        .deploy(Environment::Production, "large", &Script::module(SCRIPT))
        .await?;
    for direction in ["up", "down", "both"] {
        assert_eq!(
            transfer(platform, "large.do", "", direction, PIECES).await?,
            PIECE * PIECES,
            "{direction}"
        );
    }
    for (host, prefix, direction) in [
        ("large.do", "", "up"),
        ("large.do", "", "down"),
        ("large.do", "", "both"),
        ("apis.do", "/large", "both"),
    ] {
        let before = memory(platform)?;
        let watch = Watch::start(platform);
        let size = transfer(platform, host, prefix, direction, TIMES * PIECES).await?;
        let peak = watch.peak().await?;
        assert_eq!(size, TIMES * PIECES * PIECE, "{direction} through {host}");
        let growth = peak.saturating_sub(before);
        assert!(
            growth < ALLOWANCE,
            "{direction} through {host} took {} MB more than before",
            growth / 1_000_000
        );
    }
    Ok(())
}
