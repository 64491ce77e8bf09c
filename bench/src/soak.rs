//! 100,000 requests in one isolate: served ones, errors, and clients that disconnect.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{HOST, HeaderValue},
};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    client::Connection,
    configuration::Optional,
    contender::Contender,
    load::{self, Expected, ExpectedBody, Load, Requests},
    progress::Progress,
    setting::Setting,
    usage::{self, Usage},
    workerd::{Held, Output, Workerd},
};

const BLOCKS: usize = 10;
const CONNECTIONS: usize = 16;

/// What a contender held and used, block by block.
#[derive(Serialize)]
pub struct Soak {
    pub contender: Contender,
    pub requests: usize,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Block {
    /// Time of the workerd process on a core for each request, in microseconds.
    pub cpu_us: f64,
    /// The memory of the workerd process after the block, in bytes.
    pub memory: u64,
    /// What the contender's Wasm holds after the block.
    pub held: Held,
}

impl Soak {
    /// Sends `requests` requests in ten blocks.
    ///
    /// # Errors
    /// When a response is not the expected one.
    pub async fn run(
        setting: &Setting,
        contender: Contender,
        requests: usize,
        progress: &mut Progress,
    ) -> Result<Self> {
        let workerd = Workerd::serve(setting, contender, "soak", Optional::default(), Output::Discard)?;
        let mut blocks = Vec::new();
        for block in 0..BLOCKS {
            progress.step(format_args!(
                "soak: {}, block {} of {BLOCKS}",
                contender.title(),
                block + 1
            ));
            let block = run_block(&workerd, requests / BLOCKS).await;
            blocks.push(block.with_context(|| format!("{}: {}", contender.title(), workerd.log()))?);
        }
        Ok(Self {
            contender,
            requests,
            blocks,
        })
    }

    /// The second block and the last. The first compiles the code.
    pub fn ends(&self) -> Option<(&Block, &Block)> {
        Some((self.blocks.get(1)?, self.blocks.last()?))
    }

    /// The memory of the workerd process after the last block, in bytes.
    pub fn memory_at_end(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 bytes")]
        let bytes = self.blocks.last()?.memory as f64;
        Some(bytes)
    }

    /// The mean CPU time per request of all blocks but the first, in microseconds.
    pub fn cpu_us(&self) -> Option<f64> {
        let blocks = self.blocks.get(1..).filter(|blocks| !blocks.is_empty())?;
        #[expect(clippy::cast_precision_loss, reason = "fewer than ten blocks")]
        let count = blocks.len() as f64;
        Some(blocks.iter().map(|block| block.cpu_us).sum::<f64>() / count)
    }
}

async fn run_block(workerd: &Workerd, requests: usize) -> Result<Block> {
    let before = Usage::of(workerd.id())?;
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        tasks.spawn(send_all(workerd.ports.http, requests / CONNECTIONS));
    }
    while let Some(task) = tasks.join_next().await {
        task.context("the load generator failed")??;
    }
    let used = Usage::of(workerd.id())?.since(before);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
    let requests = requests as f64;
    Ok(Block {
        cpu_us: used.cpu.as_secs_f64() * 1e6 / requests,
        memory: usage::memory(workerd.id())?,
        held: workerd.inspect().await?.held,
    })
}

async fn send_all(port: u16, count: usize) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    let sequence = Sequence::new();
    for number in 0..count {
        sequence.send(port, &mut connection, number).await?;
    }
    Ok(())
}

/// Of ten requests, four are served, four get an error, and in two the client disconnects.
struct Sequence {
    spread: Requests,
    post: Requests,
    missing_worker: Requests,
    unknown_host: Requests,
}

impl Sequence {
    fn new() -> Self {
        Self {
            spread: Load::Spread.requests(),
            post: Load::Post { bytes: 1 << 10 }.requests(),
            missing_worker: Load::MissingWorker.requests(),
            unknown_host: Load::UnknownHost.requests(),
        }
    }

    async fn send(&self, port: u16, connection: &mut Connection, number: usize) -> Result<()> {
        let requests = match number % 10 {
            0..3 => &self.spread,
            3 => &self.post,
            4 => &self.missing_worker,
            5 => &self.unknown_host,
            // A reserved name and an invalid host.
            6 => return get_error(connection, "gov.do").await,
            7 => return get_error(connection, "a..do").await,
            8 => return disconnect_while_sending(port).await,
            _ => return disconnect_while_receiving(port).await,
        };
        let (request, expected) = requests.make(number);
        connection.exchange(request, &expected).await
    }
}

async fn get_error(connection: &mut Connection, host: &'static str) -> Result<()> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.method_mut() = Method::GET;
    request.headers_mut().insert(HOST, HeaderValue::from_static(host));
    let expected = Expected {
        status: StatusCode::NOT_FOUND,
        body: ExpectedBody::Any,
    };
    connection.exchange(request, &expected).await
}

/// Sends ten bytes of a body of 1,024, and resets the connection.
async fn disconnect_while_sending(port: u16) -> Result<()> {
    let mut stream = connect(port).await?;
    let host = load::worker(0);
    let head = format!("POST / HTTP/1.1\r\nHost: {host}.do\r\nContent-Length: 1024\r\n\r\n0123456789");
    stream.write_all(head.as_bytes()).await?;
    // Long enough for most of the requests to reach the user Worker.
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(())
}

/// Reads the start of a response that is not complete, and resets the connection.
async fn disconnect_while_receiving(port: u16) -> Result<()> {
    let mut stream = connect(port).await?;
    let host = load::worker(0);
    let head = format!("PUT / HTTP/1.1\r\nHost: {host}.do\r\nContent-Length: 1024\r\n\r\n0123456789");
    stream.write_all(head.as_bytes()).await?;
    let mut start = [0; 16];
    stream
        .read_exact(&mut start)
        .await
        .context("the echo does not start")?;
    Ok(())
}

async fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    stream.set_nodelay(true)?;
    // Closes with a reset.
    stream.set_zero_linger()?;
    Ok(stream)
}

impl fmt::Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests in one isolate, {}: ",
            self.requests,
            self.contender.title()
        )?;
        let Some((early, late)) = self.ends() else {
            return Ok(());
        };
        #[expect(clippy::cast_precision_loss, reason = "it is rounded for people")]
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        write!(
            f,
            "CPU {:.0} → {:.0} µs a request,\n  memory {:.1} → {:.1} MB, Wasm memory {:.1} → {:.1} MB, table entries {} → {}",
            early.cpu_us,
            late.cpu_us,
            megabytes(early.memory),
            megabytes(late.memory),
            megabytes(early.held.wasm_bytes),
            megabytes(late.held.wasm_bytes),
            early.held.table_entries,
            late.held.table_entries,
        )
    }
}
