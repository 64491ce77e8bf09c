//! One connection of a client: its requests, one after the other, and their responses.

use std::{
    io,
    net::Ipv4Addr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    time::timeout,
};

use super::{
    gate::{Gate, Runtime},
    head::{Body, MAX_HEAD, Method, Parsed, Refusal, RequestHead, ResponseHead},
    stream::{Incoming, Sink},
};

/// How long a client may take until it has sent the head of its next request.
const IDLE: Duration = Duration::from_secs(75);

/// How long a connection to the runtime may be idle and still be used again. The runtime closes it after 5 s.
const REUSE: Duration = Duration::from_secs(2);

/// How long a client may take to send the rest of a request that was refused or lost.
const REST: Duration = Duration::from_secs(30);

/// What all connections share.
pub struct Shared {
    pub gate: Gate,
    /// The header line with the secret.
    pub secret: String,
}

/// Relays the requests of a client until it, or the runtime, ends the connection.
///
/// # Errors
/// Those of the connections. They concern only this one.
pub async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, client) = stream.into_split();
    let mut connection = Connection {
        incoming: Incoming::new(read),
        client,
        shared,
    };
    let mut server = None;
    loop {
        let head = match timeout(IDLE, connection.head()).await {
            Ok(Ok(Received::Head(head))) => head,
            Ok(Ok(Received::Refused(refusal))) => return connection.refuse(refusal).await,
            Ok(Ok(Received::End)) | Err(_) => return Ok(()),
            Ok(Err(error)) => return Err(error),
        };
        let request = with_line(connection.incoming.received(), &head, &shared.secret);
        connection.incoming.discard(head.length);
        // The runtime can end a connection while the next request is on its way. Only a request that can be sent again uses one
        // that served before.
        let mut last = server.take().filter(|_| head.is_repeatable());
        server = loop {
            let to = match connection.server(last.take()).await {
                Ok(to) => to,
                Err(ended) => return connection.answer_lost(&head, ended).await,
            };
            let served_before = to.served.is_some();
            match connection.exchange(&head, &request, to).await? {
                Next::Request(server) => break server,
                Next::End => return Ok(()),
                Next::Lost(_) if served_before => {}
                Next::Lost(ended) => return connection.answer_lost(&head, ended).await,
            }
        };
    }
}

/// A connection to the runtime.
struct Server {
    runtime: Runtime,
    incoming: Incoming,
    out: OwnedWriteHalf,
    /// When it last served a request.
    served: Option<Instant>,
}

struct Connection<'a> {
    incoming: Incoming,
    client: OwnedWriteHalf,
    shared: &'a Shared,
}

/// The result of receiving a head.
enum Received {
    Head(RequestHead),
    /// The client has ended the connection.
    End,
    Refused(Refusal),
}

/// What follows an exchange.
enum Next {
    /// Another request, for which the connection to the runtime can be used again if there is one.
    Request(Option<Server>),
    End,
    /// The runtime ended the connection without a response.
    Lost(Runtime),
}

/// A relayed response.
struct Response {
    is_upgrade: bool,
    closes: bool,
}

/// Why a response was not relayed to its end.
enum Failure {
    /// The runtime ended the connection, and nothing was relayed.
    Lost,
    /// The response has no valid head.
    Invalid,
    /// The client has received a part.
    Partial(io::Error),
}

impl Connection<'_> {
    /// Receives the head of the next request.
    async fn head(&mut self) -> io::Result<Received> {
        loop {
            match RequestHead::parse(self.incoming.received()) {
                Parsed::Complete(head) => return Ok(Received::Head(head)),
                Parsed::Failed(refusal) => return Ok(Received::Refused(refusal)),
                Parsed::Partial => {}
            }
            if !self.incoming.receive().await? {
                return Ok(Received::End);
            }
        }
    }

    /// A connection to the runtime that serves now, which may be the one of the request before. Waits while none serves.
    async fn server(&self, mut last: Option<Server>) -> Result<Server, Runtime> {
        loop {
            let Some(runtime) = self.shared.gate.wait().await else {
                continue;
            };
            if let Some(last) = last.take()
                && last.runtime == runtime
                && last.served.is_some_and(|served| served.elapsed() < REUSE)
            {
                return Ok(last);
            }
            let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, runtime.port)).await;
            let connected = connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
            let Ok(stream) = connected else {
                // Nothing of the request was sent, so the next runtime gets it.
                if self.shared.gate.has_ended(runtime).await {
                    continue;
                }
                return Err(runtime);
            };
            let (read, out): (OwnedReadHalf, _) = stream.into_split();
            return Ok(Server {
                runtime,
                incoming: Incoming::of_runtime(read, self.shared.gate.progress()),
                out,
                served: None,
            });
        }
    }

    /// Relays a request and its response. `request` is the head that the runtime receives.
    async fn exchange(&mut self, head: &RequestHead, request: &[u8], server: Server) -> io::Result<Next> {
        let Self { incoming, client, .. } = self;
        let Server {
            runtime,
            incoming: mut responses,
            mut out,
            ..
        } = server;
        let answered = Notify::new();
        let mut sink = Sink::Runtime {
            stream: &mut out,
            answered: &answered,
            is_over: false,
        };
        sink.write(request).await?;

        let (response, is_sent) = {
            let mut download = pin!(relay_response(&mut responses, client, head));
            let mut upload = Box::pin(incoming.relay_body(head.body, &mut sink));
            tokio::select! {
                biased;
                sent = &mut upload => {
                    sent?;
                    drop(upload);
                    let is_sent = !sink.is_over();
                    tokio::select! {
                        response = &mut download => (response, is_sent),
                        error = client_end(incoming, &mut out) => return Err(error),
                    }
                }
                response = &mut download => {
                    answered.notify_one();
                    if response.is_ok() {
                        // The client sends its whole request before it reads the response.
                        upload.await?;
                    }
                    (response, false)
                }
            }
        };
        match response {
            Err(Failure::Lost) => Ok(Next::Lost(runtime)),
            Err(Failure::Invalid) => {
                let text = "The local platform cannot relay the Worker's response: its head is not valid, or it has more than 1000 headers.\n";
                self.answer("502 Bad Gateway", "text/plain; charset=utf-8", "", text)
                    .await
                    .map(|()| Next::End)
            }
            Err(Failure::Partial(error)) => Err(error),
            Ok(Response { is_upgrade: true, .. }) => {
                self.relay_upgraded(responses, out).await.map(|()| Next::End)
            }
            Ok(Response { closes, .. }) if closes || head.closes => Ok(Next::End),
            Ok(_) => Ok(Next::Request(is_sent.then(|| Server {
                runtime,
                incoming: responses,
                out,
                served: Some(Instant::now()),
            }))),
        }
    }

    /// Relays everything in both directions, until the runtime ends the connection.
    async fn relay_upgraded(&mut self, mut responses: Incoming, mut out: OwnedWriteHalf) -> io::Result<()> {
        let mut to_client = Sink::Stream(&mut self.client);
        let mut download = pin!(responses.relay_body(Body::UntilEnd, &mut to_client));
        let upload = async {
            let relayed = self
                .incoming
                .relay_body(Body::UntilEnd, &mut Sink::Stream(&mut out))
                .await;
            out.shutdown().await.and(relayed)
        };
        tokio::select! {
            downloaded = &mut download => downloaded,
            uploaded = upload => {
                uploaded?;
                download.await
            }
        }
    }

    /// Answers a request that the runtime did not answer before its end.
    async fn answer_lost(&mut self, head: &RequestHead, ended: Runtime) -> io::Result<()> {
        let reason = self.shared.gate.reason(ended).await;
        let detail = format!("{reason} Send the request again.");
        let (content_type, document) = if head.is_api_call {
            (
                "application/json",
                json!({
                    "success": false,
                    "errors": [{ "code": 10902, "message": detail }],
                    "messages": [],
                    "result": null,
                }),
            )
        } else {
            (
                "application/problem+json",
                json!({
                    "type": "about:blank",
                    "title": "The local platform was restarted",
                    "status": 503,
                    "detail": detail,
                }),
            )
        };
        let text = if head.method == Method::Head {
            String::new()
        } else {
            format!("{document}\n")
        };
        self.answer(
            "503 Service Unavailable",
            content_type,
            "Retry-After: 1\r\n",
            &text,
        )
        .await
    }

    async fn refuse(&mut self, refusal: Refusal) -> io::Result<()> {
        let (status, text) = refusal.answer();
        self.answer(status, "text/plain; charset=utf-8", "", text).await
    }

    /// Answers in place of the runtime, and ends the connection.
    async fn answer(&mut self, status: &str, content_type: &str, header: &str, text: &str) -> io::Result<()> {
        let length = text.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
             {header}Connection: close\r\n\r\n{text}"
        );
        self.client.write_all(head.as_bytes()).await?;
        self.client.shutdown().await?;
        // Closing a connection with unread bytes could remove the response from the client's buffer.
        let mut nowhere = Sink::Nowhere;
        let rest = self.incoming.relay_body(Body::UntilEnd, &mut nowhere);
        timeout(REST, rest).await.unwrap_or(Ok(()))
    }
}

/// A head with another line after the first one.
fn with_line(received: &[u8], head: &RequestHead, line: &str) -> Vec<u8> {
    let first = received.get(..head.line).unwrap_or_default();
    let rest = received.get(head.line..head.length).unwrap_or_default();
    [first, line.as_bytes(), rest].concat()
}

/// Relays a response to its end, and the informational ones before it.
async fn relay_response(
    responses: &mut Incoming,
    client: &mut OwnedWriteHalf,
    request: &RequestHead,
) -> Result<Response, Failure> {
    let mut sink = Sink::Stream(client);
    let mut is_begun = false;
    loop {
        let head = loop {
            match ResponseHead::parse(responses.received(), request) {
                Parsed::Complete(head) => break head,
                Parsed::Partial if matches!(responses.receive().await, Ok(true)) => {}
                Parsed::Failed(()) if !is_begun => return Err(Failure::Invalid),
                _ if is_begun => return Err(Failure::Partial(io::ErrorKind::UnexpectedEof.into())),
                _ => return Err(Failure::Lost),
            }
        };
        is_begun = true;
        let length = u64::try_from(head.length).unwrap_or(u64::MAX);
        let relayed = match head.body {
            // Often in one packet.
            Body::Length(body) => {
                let whole = Body::Length(length.saturating_add(body));
                responses.relay_body(whole, &mut sink).await
            }
            body => match responses.relay_received(head.length, &mut sink).await {
                Ok(()) => responses.relay_body(body, &mut sink).await,
                Err(error) => Err(error),
            },
        };
        relayed.map_err(Failure::Partial)?;
        if head.status == 101 || head.status >= 200 {
            return Ok(Response {
                is_upgrade: head.status == 101,
                closes: head.closes,
            });
        }
    }
}

/// Waits for the end of the client's connection, and passes it on, so that the Worker sees that the client is gone. Returns only when the
/// connection fails.
async fn client_end(incoming: &mut Incoming, out: &mut OwnedWriteHalf) -> io::Error {
    // The next request can follow before the response.
    while incoming.received().len() <= MAX_HEAD {
        match incoming.receive().await {
            Ok(true) => {}
            Ok(false) => {
                let _ = out.shutdown().await;
                break;
            }
            Err(error) => return error,
        }
    }
    std::future::pending().await
}

/// The connection's task.
pub async fn run(stream: TcpStream, shared: Arc<Shared>) {
    // An error concerns only this connection, and closes it.
    let _ = serve(stream, &shared).await;
}
