use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

/// Why a body breaks off, which closes the connection in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer breaks off here, as it is meant to")]
pub(crate) struct BrokenOff;

/// The body of an answer.
pub(crate) type Body = BoxBody<Bytes, BrokenOff>;

/// What answers a request. Without an answer the connection is closed.
pub(crate) type Handler =
    Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Option<Response<Body>>> + Send + Sync>;

/// A body that is known whole.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed()
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer, as it is meant to be")]
struct Closed;

/// Serves HTTP on a free port of this machine until the program ends, on a thread of its own: the runtime of the test
/// that starts a server ends before the others' do.
pub(crate) fn serve(handler: Handler) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name(format!("loopback-{}", address.port()))
        .spawn(move || runtime.block_on(accept(listener, handler)))?;
    Ok(address)
}

async fn accept(listener: TcpListener, handler: Handler) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let handler = Arc::clone(&handler);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = handler(request);
                async move { answer.await.ok_or(Closed) }
            });
            // A client that goes away, or is sent away, is nothing to stop for.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
