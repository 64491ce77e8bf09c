//! The platform's port. Each connection is relayed to the port of `wrangler dev`, byte for byte, except that:
//!
//! - A request with a header that only the runtime's own programs send (`MF-Original-URL` and others) is refused. The runtime
//!   takes the host and the path from this header, so a web page could reach the API through a name that it has made to point
//!   to this machine.
//! - A request for a path below `/cdn-cgi/` is refused, see [`target`].
//! - Each request gets a header with a secret of the state folder. The front Worker serves only requests with this secret, so the
//!   runtime's own ports serve nothing.
//!
//! Responses are not read. A request that cannot be parsed is refused: the runtime could read it as another one.

mod target;

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    thread,
};

use anyhow::{Context, Result, bail};
use httparse::Status;

/// The header with the secret. The front Worker (`local/front/index.ts`) removes it.
const SECRET_HEADER: &str = "X-Dotdo-Front-Secret";

/// The prefix of the runtime's own headers, in lower case.
const RUNTIME_PREFIX: &str = "mf-";

/// The longest head of a request, in bytes. The runtime's own limit is lower.
const MAX_HEAD: usize = 256 * 1024;

/// The most headers of a request.
const MAX_HEADERS: usize = 1000;

/// The platform's port, bound and not served yet. Connections wait.
pub struct Guard {
    listener: TcpListener,
}

impl Guard {
    /// Binds the platform's port on loopback.
    ///
    /// # Errors
    /// When another program listens on it.
    pub fn bind(port: u16) -> Result<Self> {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => Ok(Self { listener }),
            Err(_) => bail!(
                "port {port} is in use: stop the program that listens on it, or choose another port with --port"
            ),
        }
    }

    /// The port.
    ///
    /// # Errors
    /// When the system does not report it.
    pub fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Relays connections to wrangler's port until the program ends.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn serve(self, wrangler: u16, secret: String) -> Result<()> {
        thread::Builder::new()
            .name("guard".to_owned())
            .spawn(move || {
                for client in self.listener.incoming().flatten() {
                    let secret = secret.clone();
                    // An error concerns only this connection, and closes it.
                    let _ = thread::Builder::new().spawn(move || relay(&client, wrangler, &secret));
                }
            })
            .context("cannot start a thread")?;
        Ok(())
    }
}

/// Relays one connection until both sides have ended.
fn relay(client: &TcpStream, wrangler: u16, secret: &str) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, wrangler))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut responses, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let answering = thread::Builder::new().spawn(move || {
        let copied = io::copy(&mut responses, &mut to_client);
        // If the client is gone, the runtime must see that its connection is closed.
        let _ = responses.shutdown(Shutdown::Both);
        let _ = to_client.shutdown(Shutdown::Both);
        copied
    })?;
    let relayed = Requests::new(client, &server).relay(secret);
    let _ = server.shutdown(match relayed {
        Ok(()) => Shutdown::Write,
        Err(_) => Shutdown::Both,
    });
    let _ = answering.join();
    relayed
}

/// The requests of one connection.
struct Requests<'a> {
    client: &'a TcpStream,
    server: &'a TcpStream,
    /// What was received and not relayed.
    received: Vec<u8>,
}

impl<'a> Requests<'a> {
    const fn new(client: &'a TcpStream, server: &'a TcpStream) -> Self {
        Self {
            client,
            server,
            received: Vec::new(),
        }
    }

    /// Relays requests until the client ends the connection.
    fn relay(&mut self, secret: &str) -> io::Result<()> {
        loop {
            let head = match self.head()? {
                Received::Head(head) => head,
                Received::End => return Ok(()),
                Received::Refused(refusal) => return self.refuse(refusal),
            };
            let end_of_line = self.received.iter().position(|byte| *byte == b'\n');
            self.relay_received(end_of_line.map_or(head.length, |end| end + 1))?;
            self.server
                .write_all(format!("{SECRET_HEADER}: {secret}\r\n").as_bytes())?;
            let first_line = end_of_line.map_or(head.length, |end| end + 1);
            self.relay_received(head.length - first_line)?;
            match head.body {
                Body::Length(length) => self.relay_bytes(length)?,
                Body::Chunked => self.relay_chunks()?,
                Body::WebSocket => return self.relay_rest(),
            }
        }
    }

    /// Receives the head of the next request.
    fn head(&mut self) -> io::Result<Received> {
        loop {
            match Head::parse(&self.received) {
                Parsed::Head(head) => return Ok(Received::Head(head)),
                Parsed::Refused(refusal) => return Ok(Received::Refused(refusal)),
                Parsed::Partial if self.received.len() > MAX_HEAD => {
                    return Ok(Received::Refused(Refusal::HeadTooLong));
                }
                Parsed::Partial => {}
            }
            if !self.receive()? {
                return Ok(Received::End);
            }
        }
    }

    /// Receives more bytes; `false` at the end.
    fn receive(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 16 * 1024];
        let count = self.client.read(&mut bytes)?;
        self.received
            .extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(count > 0)
    }

    /// Relays this many of the received bytes.
    fn relay_received(&mut self, count: usize) -> io::Result<()> {
        let count = count.min(self.received.len());
        self.server
            .write_all(self.received.get(..count).unwrap_or_default())?;
        self.received.drain(..count);
        Ok(())
    }

    fn relay_bytes(&mut self, mut length: u64) -> io::Result<()> {
        while length > 0 {
            if self.received.is_empty() && !self.receive()? {
                return Ok(());
            }
            let available = u64::try_from(self.received.len()).unwrap_or(u64::MAX);
            let count = available.min(length);
            self.relay_received(usize::try_from(count).unwrap_or(usize::MAX))?;
            length -= count;
        }
        Ok(())
    }

    /// Relays a body with `Transfer-Encoding: chunked`.
    fn relay_chunks(&mut self) -> io::Result<()> {
        loop {
            match httparse::parse_chunk_size(&self.received) {
                Ok(Status::Complete((line, 0))) => {
                    self.relay_received(line)?;
                    return self.relay_trailers();
                }
                Ok(Status::Complete((line, size))) => {
                    self.relay_received(line)?;
                    self.relay_bytes(size.saturating_add(2))?;
                }
                Ok(Status::Partial) if self.received.len() < MAX_HEAD => {
                    if !self.receive()? {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                // What follows could be another request for the runtime.
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Relays the lines after the last chunk, up to the empty one.
    fn relay_trailers(&mut self) -> io::Result<()> {
        loop {
            match self.received.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let is_last = end == 0 || (end == 1 && self.received.first() == Some(&b'\r'));
                    self.relay_received(end + 1)?;
                    if is_last {
                        return Ok(());
                    }
                }
                None if self.received.len() > MAX_HEAD => return Err(io::ErrorKind::InvalidData.into()),
                None => {
                    if !self.receive()? {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }

    /// Relays everything that follows as it is.
    fn relay_rest(&mut self) -> io::Result<()> {
        self.relay_received(self.received.len())?;
        let (mut client, mut server) = (self.client, self.server);
        io::copy(&mut client, &mut server)?;
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) -> io::Result<()> {
        let (status, text) = refusal.answer();
        let length = text.len();
        self.client.write_all(
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n{text}"
            )
            .as_bytes(),
        )
    }
}

/// The result of receiving a head.
enum Received {
    Head(Head),
    /// The client has ended the connection.
    End,
    Refused(Refusal),
}

/// Why a request is not relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It has one of the runtime's own headers.
    RuntimeHeader,
    /// Its path is below `/cdn-cgi/`.
    ReservedPath,
    /// It is not HTTP/1, or its body has no clear end.
    Invalid,
    HeadTooLong,
}

impl Refusal {
    /// The status and the text of the response.
    const fn answer(self) -> (&'static str, &'static str) {
        match self {
            Self::RuntimeHeader => (
                "403 Forbidden",
                "The headers that begin with \"MF-\" belong to the runtime of the local platform. Send the request without them.\n",
            ),
            Self::ReservedPath => (
                "404 Not Found",
                "No Worker receives requests for paths below /cdn-cgi/, on Cloudflare and here. Choose another path.\n",
            ),
            Self::Invalid => (
                "400 Bad Request",
                "The local platform cannot read this request: it is not a valid HTTP/1.1 request.\n",
            ),
            Self::HeadTooLong => (
                "431 Request Header Fields Too Large",
                "The headers of this request are too long: the local platform reads at most 256 KiB.\n",
            ),
        }
    }
}

/// What is known of a request's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    /// Its length with the empty line, in bytes.
    length: usize,
    body: Body,
}

/// What follows a head.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    /// A body of this many bytes, which may be 0.
    Length(u64),
    /// A body with `Transfer-Encoding: chunked`.
    Chunked,
    /// The messages of a WebSocket, which ends with the connection.
    WebSocket,
}

#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    Head(Head),
    Partial,
    Refused(Refusal),
}

impl Head {
    fn parse(bytes: &[u8]) -> Parsed {
        let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Parsed::Partial,
            Err(httparse::Error::TooManyHeaders) => return Parsed::Refused(Refusal::HeadTooLong),
            Err(_) => return Parsed::Refused(Refusal::Invalid),
        };
        let mut hosts = Vec::new();
        let mut content_length = None;
        let mut is_chunked = false;
        let mut is_web_socket = false;
        for header in request.headers.iter() {
            let name = header.name.to_ascii_lowercase();
            let value = String::from_utf8_lossy(header.value);
            let value = value.trim();
            match name.as_str() {
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") && !is_chunked => {
                    is_chunked = true;
                }
                "content-length" if content_length.is_none() => match value.parse::<u64>() {
                    Ok(length) => content_length = Some(length),
                    Err(_) => return Parsed::Refused(Refusal::Invalid),
                },
                // Two values, or another encoding: the runtime could see another end of the body.
                "transfer-encoding" | "content-length" => return Parsed::Refused(Refusal::Invalid),
                "upgrade" if value.eq_ignore_ascii_case("websocket") => is_web_socket = true,
                "host" => hosts.push(value.to_owned()),
                _ if name.starts_with(RUNTIME_PREFIX) => return Parsed::Refused(Refusal::RuntimeHeader),
                _ => {}
            }
        }
        if target::is_reserved(request.path.unwrap_or_default(), &hosts) {
            return Parsed::Refused(Refusal::ReservedPath);
        }
        let body = match (is_chunked, content_length, is_web_socket) {
            (true, Some(_), _) => return Parsed::Refused(Refusal::Invalid),
            (_, _, true) => Body::WebSocket,
            (true, None, false) => Body::Chunked,
            (false, length, false) => Body::Length(length.unwrap_or(0)),
        };
        Parsed::Head(Self { length, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server receives of these bytes of a client, and what the client receives.
    fn relayed(sent: &[u8]) -> (String, String) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let guard = Guard::bind(0).unwrap();
        let port = guard.port().unwrap();
        guard
            .serve(server.local_addr().unwrap().port(), "s3cret".to_owned())
            .unwrap();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        client.write_all(sent).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let (mut connection, _) = server.accept().unwrap();
        let mut received = String::new();
        connection.read_to_string(&mut received).unwrap();
        connection.write_all(b"an answer").unwrap();
        drop(connection);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        (received, answer)
    }

    #[test]
    fn each_request_of_a_connection_gets_the_secret_and_stays_as_it_is() {
        let with_length = "POST /a HTTP/1.1\r\nhost: a.localhost\r\nContent-Length: 5\r\n\r\nGET /";
        let chunked = "PUT /b HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5;x=y\r\nGET /\r\n3\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n";
        let last = "GET /c?d HTTP/1.1\r\nHOST: c\r\n\r\n";
        let (received, answer) = relayed([with_length, chunked, last].concat().as_bytes());
        let guarded = |request: &str| {
            let (line, rest) = request.split_once("\r\n").unwrap();
            format!("{line}\r\nX-Dotdo-Front-Secret: s3cret\r\n{rest}")
        };
        assert_eq!(received, [with_length, chunked, last].map(guarded).concat());
        assert_eq!(answer, "an answer");
    }

    #[test]
    fn a_request_with_a_header_of_the_runtime_is_refused() {
        for header in ["MF-Original-URL", "mf-original-url", "Mf-Route-Override"] {
            let request =
                format!("GET / HTTP/1.1\r\nHost: evil.example\r\n{header}: http://localhost/v1\r\n\r\n");
            let (received, answer) = relayed(request.as_bytes());
            assert_eq!(received, "");
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        }
    }

    #[test]
    fn the_messages_of_a_web_socket_are_not_read_as_requests() {
        let sent = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x01\x02 GET / HTTP/1.1\r\nMF-Original-URL: x\r\n\r\n";
        let (received, _) = relayed(sent.as_bytes());
        assert!(received.ends_with("\x01\x02 GET / HTTP/1.1\r\nMF-Original-URL: x\r\n\r\n"));
    }

    #[test]
    fn a_request_for_a_reserved_path_is_refused() {
        for line in [
            "GET /cdn-cgi/local/explorer",
            "POST http://a.localhost/x/../cdn-cgi/",
            "OPTIONS /%2e/cdn-cgi?x",
        ] {
            let (received, answer) =
                relayed(format!("{line} HTTP/1.1\r\nHost: a.localhost\r\n\r\n").as_bytes());
            assert_eq!(received, "");
            assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        }
    }

    /// The runtime could find another request in the same bytes.
    #[test]
    fn what_is_no_clear_request_is_refused() {
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        for head in [
            "\x16\x03\x01 not HTTP",
            "GET / HTTP/1.1\r\nContent-Length: x",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
            &format!("GET / HTTP/1.1\r\n{many}"),
        ] {
            let (received, answer) = relayed(format!("{head}\r\n\r\n").as_bytes());
            assert_eq!(received, "", "{head}");
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
        let (received, _) = relayed(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nGET /cdn-cgi HTTP/1.1\r\n\r\n",
        );
        assert!(!received.contains("cdn-cgi"), "{received}");
        assert_eq!(relayed(b"GET / HTTP/1.1\r\nHost: in the middle").0, "");
    }
}
