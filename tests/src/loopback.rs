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

/// The error of a body that ends early, which closes the connection in the middle of a response.
#[derive(Debug, thiserror::Error)]
#[error("the response ends here on purpose")]
pub(crate) struct EndsEarly;

/// The body of a response.
pub(crate) type Body = BoxBody<Bytes, EndsEarly>;

/// Returns the response to a request, or `None` to close the connection.
pub(crate) type Handler =
    Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Option<Response<Body>>> + Send + Sync>;

/// A complete body.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed()
}

/// Closes a connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without a response on purpose")]
struct Closed;

/// Serves HTTP on a free loopback port until the program ends. It has a separate thread, because the runtime of the test
/// that starts it ends before other tests.
pub(crate) fn serve(handler: Handler) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
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
            // An error concerns only this connection.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
