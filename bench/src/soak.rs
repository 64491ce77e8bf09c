//! A hundred thousand requests in one isolate: right ones, wrong ones and broken ones.

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
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    bundle::Bundle,
    client::Connection,
    configuration::Configuration,
    contender::Contender,
    load::{self, Expected, ExpectedBody, Load},
    progress::Progress,
    setting::Setting,
    usage::{self, Usage},
    workerd::Workerd,
};

const BLOCKS: usize = 10;
const CONNECTIONS: usize = 16;
/// The requests that follow one another: see [`errand`].
const ERRANDS: usize = 10;

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
    /// The memory of the workerd process at the end, in bytes.
    pub memory: u64,
    pub held: Held,
}

/// What the contender's Wasm holds at the end of a block.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Its linear memory.
    pub wasm_bytes: u64,
    /// The entries of its tables, which references to JavaScript objects stand in.
    pub table_entries: u64,
}

impl Soak {
    /// Sends `requests` requests in blocks.
    pub async fn run(
        setting: &Setting,
        contender: Contender,
        requests: usize,
        progress: &mut Progress,
    ) -> Result<Self> {
        let bundle = Bundle::open(&setting.folder, contender)?;
        let mut modules = vec!["soak.js", "capture.js"];
        modules.extend(bundle.modules());
        let compatibility = &setting.compatibility;
        let configuration = |port| Configuration { compatibility, port }.serving(contender, &modules);
        let workerd = Workerd::start(&setting.workerd, &bundle.folder, "soak", configuration)?;
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
}

async fn run_block(workerd: &Workerd, requests: usize) -> Result<Block> {
    let before = Usage::of(workerd.id())?;
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        tasks.spawn(run_errands(workerd.port, requests / CONNECTIONS));
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
        held: held(workerd.port).await?,
    })
}

async fn held(port: u16) -> Result<Held> {
    let mut connection = Connection::open(port).await?;
    let request = Request::get("/")
        .header(HOST, "soak.invalid")
        .body(Full::new(Bytes::new()))?;
    Ok(serde_json::from_slice(connection.ask(request).await?.body())?)
}

async fn run_errands(port: u16, count: usize) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    for number in 0..count {
        errand(port, &mut connection, number).await?;
    }
    Ok(())
}

/// Of ten requests, four are served, four get an error, and in two the client goes away.
async fn errand(port: u16, connection: &mut Connection, number: usize) -> Result<()> {
    match number % ERRANDS {
        0..3 => exchange(connection, Load::Spread, number).await,
        3 => exchange(connection, Load::Post { bytes: 1 << 10 }, number).await,
        4 => exchange(connection, Load::MissingWorker, number).await,
        5 => exchange(connection, Load::UnknownHost, number).await,
        // A reserved name, and a host that no DNS has.
        6 => refused(connection, "gov.do").await,
        7 => refused(connection, "a..do").await,
        8 => leave_while_sending(port).await,
        _ => leave_while_receiving(port).await,
    }
}

async fn exchange(connection: &mut Connection, load: Load, number: usize) -> Result<()> {
    let (request, expected) = load.request(number);
    connection.exchange(request, &expected).await
}

async fn refused(connection: &mut Connection, host: &'static str) -> Result<()> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.method_mut() = Method::GET;
    request.headers_mut().insert(HOST, HeaderValue::from_static(host));
    let expected = Expected {
        status: StatusCode::NOT_FOUND,
        body: ExpectedBody::Any,
    };
    connection.exchange(request, &expected).await
}

/// Announces a kilobyte, sends ten bytes of it, and resets the connection.
async fn leave_while_sending(port: u16) -> Result<()> {
    let mut stream = connect(port).await?;
    let host = load::worker(0);
    let head = format!("POST / HTTP/1.1\r\nHost: {host}.do\r\nContent-Length: 1024\r\n\r\n0123456789");
    stream.write_all(head.as_bytes()).await?;
    // Long enough for the request to reach the user Worker, on most occasions.
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(())
}

/// Reads the beginning of an answer that goes on, and resets the connection.
async fn leave_while_receiving(port: u16) -> Result<()> {
    let mut stream = connect(port).await?;
    let host = load::worker(0);
    let head = format!("PUT / HTTP/1.1\r\nHost: {host}.do\r\nContent-Length: 1024\r\n\r\n0123456789");
    stream.write_all(head.as_bytes()).await?;
    let mut start = [0; 16];
    stream
        .read_exact(&mut start)
        .await
        .context("the echo does not begin")?;
    Ok(())
}

async fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    stream.set_nodelay(true)?;
    // A reset, and not an orderly end.
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
        // The first block compiles; the second is what the last is measured by.
        let (Some(early), Some(late)) = (self.blocks.get(1), self.blocks.last()) else {
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
