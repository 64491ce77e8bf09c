//! WebSockets through the dispatch Worker.

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Script, WebSocket};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::platforms;

const CHAT: &str = "export default { fetch(request) {
    if (request.headers.get('Upgrade') !== 'websocket') return new Response('no upgrade', { status: 426 });
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    const { pathname } = new URL(request.url);
    server.send(`welcome to ${pathname} behind ${request.headers.get('X-Forwarded-Prefix')}`);
    server.addEventListener('message', ({ data }) => {
        if (data === 'leave') return server.close(4001, 'as you wish');
        server.send(typeof data === 'string' ? `heard ${data}` : data);
    });
    const headers = { 'Sec-WebSocket-Protocol': 'chat', 'Set-Cookie': 'seen=1' };
    return new Response(null, { status: 101, webSocket: client, headers });
} };";

async fn next(socket: &mut WebSocket) -> Result<Message> {
    Ok(socket.next().await.context("the WebSocket closed")??)
}

// An earlier build copied the response, and the copy lost its WebSocket.
#[end_to_end::test]
async fn messages_are_passed_on_with_and_without_a_stripped_prefix() -> Result<()> {
    let platform = platforms::standard();
    platform
        .deploy(Environment::Production, "chat", &Script::module(CHAT))
        .await?;
    for (host, path, welcome) in [
        ("chat.do", "/room/1", "welcome to /room/1 behind null"),
        ("apis.do", "/chat/room/1", "welcome to /room/1 behind /chat"),
    ] {
        let (mut socket, answer) = platform
            .web_socket(host, path, &[("Sec-WebSocket-Protocol", "chat")])
            .await?;
        assert_eq!(answer.status(), 101);
        assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
        assert_eq!(answer.headers()["set-cookie"], "seen=1");
        assert_eq!(next(&mut socket).await?, Message::text(welcome));
        for number in 0..20 {
            socket.send(Message::text(format!("word {number}"))).await?;
            assert_eq!(
                next(&mut socket).await?,
                Message::text(format!("heard word {number}"))
            );
        }
        let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        socket.send(Message::binary(bytes.clone())).await?;
        assert_eq!(next(&mut socket).await?, Message::binary(bytes));
        socket.send(Message::text("leave")).await?;
        let close = CloseFrame {
            code: CloseCode::from(4001),
            reason: "as you wish".into(),
        };
        assert_eq!(next(&mut socket).await?, Message::Close(Some(close)));
    }
    Ok(())
}

#[end_to_end::test]
async fn a_handshake_without_a_worker_returns_an_error_response() -> Result<()> {
    for (host, code) in [
        ("no-chat-here.do", "WORKER_NOT_DEPLOYED"),
        ("unknown.example", "HOST_UNKNOWN"),
    ] {
        let refused = platforms::standard().web_socket(host, "/", &[]).await;
        let error = refused.err().context("the handshake succeeded")?;
        let error = error.downcast::<tokio_tungstenite::tungstenite::Error>()?;
        let tokio_tungstenite::tungstenite::Error::Http(answer) = error else {
            anyhow::bail!("{error}");
        };
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers()["x-dispatch-error"], code);
    }
    Ok(())
}
