use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{client::IntoClientRequest, handshake::client::Response, http::HeaderValue},
};

use crate::Platform;

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
    ) -> Result<(WebSocket, Response)> {
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
