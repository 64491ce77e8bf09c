//! Reading one direction of a connection: received bytes that are not relayed yet, and bodies by their framing.

use std::io;

use bytes::{Buf, BytesMut};
use httparse::Status;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    sync::Notify,
};

use super::{
    gate::Progress,
    head::{Body, MAX_HEAD},
};

/// How many bytes are received at once, at most.
const CHUNK: usize = 64 * 1024;

/// The receiving half of a connection.
pub struct Incoming {
    stream: OwnedReadHalf,
    received: BytesMut,
    /// What counts the received bytes.
    progress: Option<Progress>,
}

impl Incoming {
    pub fn new(stream: OwnedReadHalf) -> Self {
        Self {
            stream,
            received: BytesMut::new(),
            progress: None,
        }
    }

    /// The half of a connection to the runtime.
    pub fn of_runtime(stream: OwnedReadHalf, progress: Progress) -> Self {
        Self {
            progress: Some(progress),
            ..Self::new(stream)
        }
    }

    /// The bytes that are received and not relayed.
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Removes this many of the received bytes.
    pub fn discard(&mut self, count: usize) {
        self.received.advance(count.min(self.received.len()));
    }

    /// Receives more bytes; `false` at the end. Can be cancelled without a loss.
    pub async fn receive(&mut self) -> io::Result<bool> {
        self.received.reserve(CHUNK);
        let count = self.stream.read_buf(&mut self.received).await?;
        if count > 0
            && let Some(progress) = &self.progress
        {
            progress.add();
        }
        Ok(count > 0)
    }

    /// Relays this many of the received bytes.
    pub async fn relay_received(&mut self, count: usize, sink: &mut Sink<'_>) -> io::Result<()> {
        let count = count.min(self.received.len());
        sink.write(self.received.get(..count).unwrap_or_default()).await?;
        self.received.advance(count);
        Ok(())
    }

    /// Relays a body to its end.
    ///
    /// # Errors
    /// `UnexpectedEof` when the connection ends before the body, `InvalidData` when its framing is invalid, and the errors of both
    /// connections.
    pub async fn relay_body(&mut self, body: Body, sink: &mut Sink<'_>) -> io::Result<()> {
        match body {
            Body::Length(length) => self.relay_bytes(length, sink).await,
            Body::Chunked => self.relay_chunks(sink).await,
            Body::UntilEnd => loop {
                self.relay_received(self.received.len(), sink).await?;
                if !self.receive().await? {
                    return Ok(());
                }
            },
        }
    }

    async fn relay_bytes(&mut self, mut length: u64, sink: &mut Sink<'_>) -> io::Result<()> {
        while length > 0 {
            if self.received.is_empty() && !self.receive().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let available = u64::try_from(self.received.len()).unwrap_or(u64::MAX);
            let count = available.min(length);
            self.relay_received(usize::try_from(count).unwrap_or(usize::MAX), sink)
                .await?;
            length -= count;
        }
        Ok(())
    }

    async fn relay_chunks(&mut self, sink: &mut Sink<'_>) -> io::Result<()> {
        loop {
            match httparse::parse_chunk_size(&self.received) {
                Ok(Status::Complete((line, 0))) => {
                    self.relay_received(line, sink).await?;
                    return self.relay_trailers(sink).await;
                }
                Ok(Status::Complete((line, size))) => {
                    self.relay_received(line, sink).await?;
                    self.relay_bytes(size.saturating_add(2), sink).await?;
                }
                Ok(Status::Partial) if self.received.len() < MAX_HEAD => {
                    if !self.receive().await? {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                // The runtime could see another request in what follows.
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Relays the lines after the last chunk, up to the empty one.
    async fn relay_trailers(&mut self, sink: &mut Sink<'_>) -> io::Result<()> {
        loop {
            match self.received.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let is_last = end == 0 || (end == 1 && self.received.first() == Some(&b'\r'));
                    self.relay_received(end + 1, sink).await?;
                    if is_last {
                        return Ok(());
                    }
                }
                None if self.received.len() > MAX_HEAD => return Err(io::ErrorKind::InvalidData.into()),
                None => {
                    if !self.receive().await? {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }
}

/// Where bytes are relayed to.
pub enum Sink<'a> {
    /// A connection. An error ends the exchange.
    Stream(&'a mut OwnedWriteHalf),
    /// The runtime. It can answer before it has read the whole request. What follows is then discarded, so that the client, which
    /// sends the rest before it reads the response, is not disturbed.
    Runtime {
        stream: &'a mut OwnedWriteHalf,
        /// Notified when the response is complete.
        answered: &'a Notify,
        is_over: bool,
    },
    Nowhere,
}

impl Sink<'_> {
    /// Whether the runtime did not receive everything.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Runtime { is_over: true, .. })
    }

    /// Writes everything, or discards it.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.write_all(bytes).await,
            Self::Runtime { is_over: true, .. } | Self::Nowhere => Ok(()),
            Self::Runtime {
                stream,
                answered,
                is_over,
            } => {
                tokio::select! {
                    written = stream.write_all(bytes) => *is_over = written.is_err(),
                    () = answered.notified() => *is_over = true,
                }
                Ok(())
            }
        }
    }
}
