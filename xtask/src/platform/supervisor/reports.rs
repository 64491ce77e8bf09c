//! The address to which the Worker `local` reports invocations (`local/src/invocations.ts`), and the program that starts the runtime its
//! process.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::{Buf, BytesMut};
use httparse::Status;
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    invocations::{Invocation, Invocations},
    runtime::RuntimeProcess,
};
use crate::platform::runtime_reports;

/// The longest report, in bytes.
const MAX_REPORT: usize = 16 * 1024;

/// How long to wait when no connection can be accepted.
const PAUSE: Duration = Duration::from_millis(50);

/// The body of a report of a start.
#[derive(Deserialize)]
struct Start {
    runtime: String,
    id: u64,
    #[serde(flatten)]
    invocation: Invocation,
}

/// The body of a report of an end.
#[derive(Deserialize)]
struct End {
    runtime: String,
    id: u64,
}

/// Receives reports on a loopback port until the program ends, and returns the address.
///
/// # Errors
/// When no port or no thread is available.
pub fn receive(invocations: Invocations, process: RuntimeProcess, secret: &str) -> Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free for the supervisor")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let receivers = Arc::new(Receivers {
        invocations,
        process,
        authorization: format!("Bearer {secret}"),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the supervisor's port")?;
    thread::Builder::new()
        .name("reports".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                loop {
                    match listener.accept().await {
                        Ok((stream, _)) => {
                            let receivers = Arc::clone(&receivers);
                            tokio::spawn(async move {
                                // An error ends only this connection.
                                let _ = answer_reports(stream, &receivers).await;
                            });
                        }
                        Err(_) => tokio::time::sleep(PAUSE).await,
                    }
                }
            });
        })
        .context("cannot start a thread")?;
    Ok(address)
}

/// Who gets the reports.
struct Receivers {
    invocations: Invocations,
    process: RuntimeProcess,
    /// The value of the header that each report must have.
    authorization: String,
}

async fn answer_reports(mut stream: TcpStream, receivers: &Receivers) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BytesMut::new();
    loop {
        let report = loop {
            match Report::parse(&received, &receivers.authorization) {
                Some(Ok(report)) => break report,
                Some(Err(status)) => return stream.write_all(response(status).as_bytes()).await,
                None if received.len() > MAX_REPORT => return Ok(()),
                None => {
                    if stream.read_buf(&mut received).await? == 0 {
                        return Ok(());
                    }
                }
            }
        };
        let status = report.record(&received, receivers);
        received.advance(report.length);
        stream.write_all(response(status).as_bytes()).await?;
    }
}

/// A response without a body.
fn response(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
}

/// What a report is about.
#[derive(Clone, Copy)]
enum Kind {
    /// The start of an invocation.
    Start,
    /// The end of an invocation.
    End,
    /// The process of the runtime.
    Runtime,
}

/// A report as it was received.
struct Report {
    kind: Kind,
    body: std::ops::Range<usize>,
    length: usize,
}

impl Report {
    /// `None` while it is incomplete, and the status of the response if it is not one.
    fn parse(bytes: &[u8], authorization: &str) -> Option<Result<Self, &'static str>> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        let head = match request.parse(bytes) {
            Ok(Status::Complete(head)) => head,
            Ok(Status::Partial) => return None,
            Err(_) => return Some(Err("400 Bad Request")),
        };
        let header = |name: &str| {
            request
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name))
                .and_then(|header| std::str::from_utf8(header.value).ok())
        };
        if !header("authorization").is_some_and(|given| is_equal(given, authorization)) {
            return Some(Err("401 Unauthorized"));
        }
        let kind = match request.path {
            Some("/start") => Kind::Start,
            Some("/end") => Kind::End,
            Some(runtime_reports::PATH) => Kind::Runtime,
            _ => return Some(Err("404 Not Found")),
        };
        let Some(length) = header("content-length").and_then(|length| length.parse::<usize>().ok()) else {
            return Some(Err("411 Length Required"));
        };
        let end = head.saturating_add(length);
        (bytes.len() >= end).then_some(Ok(Self {
            kind,
            body: head..end,
            length: end,
        }))
    }

    /// Records it, and returns the status of the response: 403 if the invocation or the runtime may not start.
    fn record(&self, bytes: &[u8], receivers: &Receivers) -> &'static str {
        let body = bytes.get(self.body.clone()).unwrap_or_default();
        let Receivers {
            invocations, process, ..
        } = receivers;
        let recorded = match self.kind {
            Kind::Start => serde_json::from_slice(body).map(
                |Start {
                     runtime,
                     id,
                     invocation,
                 }| invocations.start(&runtime, id, invocation),
            ),
            Kind::End => serde_json::from_slice(body).map(|End { runtime, id }| {
                invocations.end(&runtime, id);
                true
            }),
            Kind::Runtime => serde_json::from_slice(body).map(|report| process.receive(report)),
        };
        match recorded {
            Ok(true) => "200 OK",
            Ok(false) => "403 Forbidden",
            Err(_) => "400 Bad Request",
        }
    }
}

/// Compares in a time that does not depend on the first difference.
fn is_equal(left: &str, right: &str) -> bool {
    left.len() == right.len()
        && left
            .bytes()
            .zip(right.bytes())
            .fold(0, |difference, (left, right)| difference | (left ^ right))
            == 0
}
