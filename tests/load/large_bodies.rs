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
/// 100 MB, and a little: the transfer after which the runtime has taken what it keeps for good.
const PIECES: usize = 1600;
/// How many times as much is transferred then.
const TIMES: usize = 3;
/// How much more memory that may take at its peak. Holding the body would take 200 MB more than the 100 MB did; what
/// streams, their buffers and garbage take does not grow with the body.
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

/// Watches the runtime's memory until it is told to stop; gives the peak.
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

/// What the processes of workerd have in use.
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

fn body(pieces: usize) -> Body {
    let pieces = (0..pieces).map(|_| Ok::<_, std::io::Error>(vec![7_u8; PIECE]));
    Body::wrap_stream(stream::iter(pieces))
}

async fn received(response: reqwest::Response) -> Result<usize> {
    ensure!(response.status() == 200, "{}", response.status());
    let mut size = 0;
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        size += chunk?.len();
    }
    Ok(size)
}

async fn transfer(platform: &Platform, host: &str, prefix: &str, what: &str, pieces: usize) -> Result<usize> {
    let path = |end: &str| format!("{prefix}/{end}");
    match what {
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

/// 100 MB up, down, and both at once, straight and through a stripped prefix, in flat memory.
#[end_to_end::test]
async fn one_hundred_megabytes_pass_in_flat_memory() -> Result<()> {
    let (platform, _turn) = super::platform().await;
    platform
        .deploy(Environment::Production, "large", &Script::module(SCRIPT))
        .await?;
    for what in ["up", "down", "both"] {
        assert_eq!(
            transfer(platform, "large.do", "", what, PIECES).await?,
            PIECE * PIECES,
            "{what}"
        );
    }
    for (host, prefix, what) in [
        ("large.do", "", "up"),
        ("large.do", "", "down"),
        ("large.do", "", "both"),
        ("apis.do", "/large", "both"),
    ] {
        let before = memory(platform)?;
        let watch = Watch::start(platform);
        let size = transfer(platform, host, prefix, what, TIMES * PIECES).await?;
        let peak = watch.peak().await?;
        assert_eq!(size, TIMES * PIECES * PIECE, "{what} through {host}");
        let growth = peak.saturating_sub(before);
        assert!(
            growth < ALLOWANCE,
            "{what} through {host} took {} MB more than before",
            growth / 1_000_000
        );
    }
    Ok(())
}
