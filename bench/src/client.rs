//! One HTTP/1.1 connection that stays open and checks every response.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::load::{Expected, ExpectedBody};

pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
}

impl Connection {
    pub async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // The request that is in flight gets the connection's error.
            let _ = connection.await;
        });
        Ok(Self { sender })
    }

    /// Sends the request, reads the whole response and compares it with the expected one.
    ///
    /// # Errors
    /// When the connection breaks, or the response is not the expected one.
    pub async fn exchange(&mut self, request: Request<Full<Bytes>>, expected: &Expected) -> Result<()> {
        let response = self
            .sender
            .send_request(request)
            .await
            .context("the request got no response")?;
        let status = response.status();
        let mut body = response.into_body();
        let mut length = 0;
        let mut start = Bytes::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.context("the response body ended early")?.into_data() {
                if length == 0 {
                    start = data.clone();
                }
                length += data.len();
            }
        }
        let as_expected = match &expected.body {
            ExpectedBody::Any => true,
            ExpectedBody::Text(text) => length == text.len() && start == text.as_bytes(),
            ExpectedBody::Length(bytes) => length == *bytes,
        };
        if status != expected.status || !as_expected {
            let start =
                String::from_utf8_lossy(start.get(..start.len().min(300)).unwrap_or_default()).into_owned();
            bail!("the response is {status} with {length} bytes, `{start}`; expected {expected:?}");
        }
        Ok(())
    }

    /// Sends the request and returns the whole response without checking it.
    pub async fn fetch(&mut self, request: Request<Full<Bytes>>) -> Result<hyper::Response<Bytes>> {
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        Ok(hyper::Response::from_parts(
            head,
            body.collect().await?.to_bytes(),
        ))
    }
}
