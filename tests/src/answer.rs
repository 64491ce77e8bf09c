use anyhow::{Context, Result};
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{client::IntoClientRequest, handshake::client, http::HeaderValue},
};

use crate::Platform;

/// A complete response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads a response to its end.
    ///
    /// # Errors
    /// When the body is incomplete.
    pub async fn read(response: Response) -> Result<Self> {
        Ok(Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` when it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header's value; empty when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// A WebSocket to a user Worker.
pub type WebSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Platform {
    /// Opens a WebSocket to a host and path, and returns it with the handshake's response.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn web_socket(
        &self,
        host: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(WebSocket, client::Response)> {
        let mut request = format!("ws://127.0.0.1:{}{path}", self.port()).into_client_request()?;
        request.headers_mut().insert("Host", HeaderValue::from_str(host)?);
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value)?);
        }
        connect_async(request)
            .await
            .with_context(|| format!("no WebSocket to {host}{path}"))
    }
}
