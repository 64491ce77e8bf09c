//! The platform's port. Each connection is relayed to the port of the Workers runtime, byte for byte, except that:
//!
//! - A request with a header that only the runtime's own programs send (`MF-Original-URL` and others) is refused. The runtime
//!   takes the host and the path from this header, so a web page could reach the API through a name that it has made to point
//!   to this machine.
//! - A request for a path below `/cdn-cgi/` is refused, see [`target`].
//! - A request that cannot be parsed is refused: the runtime could read it as another one.
//! - Each request gets a header with a secret of the state folder. The front Worker serves only requests with this secret, so the
//!   runtime's own ports serve nothing.
//! - While the runtime is restarted, requests wait. Those that it had begun and not answered get a 503.
//! - A response is relayed to its end even if the runtime answers before it has read the whole request.

mod connection;
mod gate;
mod head;
mod stream;
mod target;

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use connection::Shared;

pub use gate::{Gate, Progress};

/// The header with the secret. The front Worker (`local/front/index.ts`) removes it.
pub const SECRET_HEADER: &str = "X-Dotdo-Front-Secret";

/// How long to wait when no connection can be accepted, which happens when too many files are open.
const PAUSE: Duration = Duration::from_millis(50);

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

    /// Relays connections to the runtime behind the gate until the program ends.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn serve(self, gate: Gate, secret: &str) -> Result<()> {
        self.listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the platform's port")?;
        let shared = Arc::new(Shared {
            gate,
            secret: format!("{SECRET_HEADER}: {secret}\r\n"),
        });
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(self.listener)?
        };
        thread::Builder::new()
            .name("guard".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    loop {
                        match listener.accept().await {
                            Ok((client, _)) => {
                                tokio::spawn(connection::run(client, Arc::clone(&shared)));
                            }
                            Err(_) => tokio::time::sleep(PAUSE).await,
                        }
                    }
                });
            })
            .context("cannot start a thread")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{Shutdown, TcpStream},
        sync::mpsc,
    };

    use super::*;

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// A guard in front of a server that the test plays.
    struct Relayed {
        server: TcpListener,
        gate: Gate,
        port: u16,
    }

    impl Relayed {
        fn new() -> Self {
            let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let guard = Guard::bind(0).unwrap();
            let port = guard.port().unwrap();
            let gate = Gate::default();
            gate.open(server.local_addr().unwrap().port());
            guard.serve(gate.clone(), "s3cret").unwrap();
            Self { server, gate, port }
        }

        fn client(&self) -> TcpStream {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap()
        }
    }

    /// Everything that can be read without waiting for long.
    fn read_until(stream: &mut TcpStream, end: &str) -> String {
        let mut text = String::new();
        let mut bytes = [0; 4096];
        while !text.ends_with(end) {
            match stream.read(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(count) => text.push_str(&String::from_utf8_lossy(&bytes[..count])),
            }
        }
        text
    }

    /// What the server receives of a request, and what the client receives if the server answers it so.
    fn relayed(sent: &str, answer: &str) -> (String, String) {
        let relayed = Relayed::new();
        let mut client = relayed.client();
        client.write_all(sent.as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        relayed.server.set_nonblocking(true).unwrap();
        let (sender, requests) = mpsc::channel();
        let answer = answer.to_owned();
        let serving = thread::spawn(move || {
            for _ in 0..100 {
                if let Ok((mut connection, _)) = relayed.server.accept() {
                    connection.set_nonblocking(false).unwrap();
                    let mut received = String::new();
                    connection.read_to_string(&mut received).unwrap();
                    connection.write_all(answer.as_bytes()).unwrap();
                    sender.send(received).unwrap();
                    return;
                }
                if sender.send(String::new()).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        let mut response = String::new();
        let _ = client.read_to_string(&mut response);
        serving.join().unwrap();
        (requests.iter().collect(), response)
    }

    #[test]
    fn each_request_of_a_connection_gets_the_secret_and_stays_as_it_is() {
        let relayed = Relayed::new();
        let mut client = relayed.client();
        let requests = [
            "POST /a HTTP/1.1\r\nhost: a.localhost\r\nContent-Length: 5\r\n\r\nGET /",
            "PUT /b HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n\
             5;x=y\r\nGET /\r\n3\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n",
            "GET /c?d HTTP/1.1\r\nHOST: c\r\n\r\n",
        ];
        let responses = [
            OK,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\nuntil the end",
        ];
        // All at once: they are relayed one after the other.
        client.write_all(requests.concat().as_bytes()).unwrap();
        let mut server = None;
        for (request, response) in requests.iter().zip(responses) {
            // Only the last one can be sent on a connection that served before.
            let server = if request.starts_with("GET") {
                server.as_mut().unwrap()
            } else {
                server.insert(relayed.server.accept().unwrap().0)
            };
            let (line, rest) = request.split_once("\r\n").unwrap();
            let received = read_until(server, &rest[rest.len() - 5..]);
            assert_eq!(
                received,
                format!("{line}\r\nX-Dotdo-Front-Secret: s3cret\r\n{rest}")
            );
            server.write_all(response.as_bytes()).unwrap();
        }
        drop(server);
        let mut answers = String::new();
        client.read_to_string(&mut answers).unwrap();
        assert_eq!(answers, responses.concat());
    }

    #[test]
    fn a_request_with_a_header_of_the_runtime_is_refused() {
        for header in ["MF-Original-URL", "mf-original-url", "Mf-Route-Override"] {
            let request =
                format!("GET / HTTP/1.1\r\nHost: evil.example\r\n{header}: http://localhost/v1\r\n\r\n");
            let (received, answer) = relayed(&request, OK);
            assert_eq!(received, "");
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        }
    }

    #[test]
    fn a_request_for_a_reserved_path_is_refused() {
        for line in [
            "GET /cdn-cgi/local/explorer",
            "POST http://a.localhost/x/../cdn-cgi/",
            "OPTIONS /%2e/cdn-cgi?x",
        ] {
            let (received, answer) = relayed(&format!("{line} HTTP/1.1\r\nHost: a.localhost\r\n\r\n"), OK);
            assert_eq!(received, "");
            assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        }
    }

    /// The runtime could find another request in the same bytes.
    #[test]
    fn what_is_no_clear_request_is_refused() {
        let many = "a: b\r\n".repeat(1001);
        for head in [
            "\x16\x03\x01 not HTTP",
            "GET / HTTP/1.1\r\nContent-Length: x",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
            &format!("GET / HTTP/1.1\r\n{many}"),
        ] {
            let (received, answer) = relayed(&format!("{head}\r\n\r\n"), OK);
            assert_eq!(received, "", "{head}");
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
        let chunked =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nGET /cdn-cgi HTTP/1.1\r\n\r\n";
        assert!(!relayed(chunked, OK).0.contains("cdn-cgi"));
        let upgrade = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\nGET /cdn-cgi/local HTTP/1.1\r\n\r\n";
        let (received, answer) = relayed(upgrade, OK);
        assert!(!received.contains("cdn-cgi"), "{received}");
        assert!(answer.contains("HTTP/1.1 404 "), "{answer}");
    }

    #[test]
    fn the_messages_of_a_web_socket_are_not_read_as_requests() {
        let relayed = Relayed::new();
        let mut client = relayed.client();
        client
            .write_all(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
            .unwrap();
        let (mut server, _) = relayed.server.accept().unwrap();
        read_until(&mut server, "\r\n\r\n");
        let accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        server.write_all(accepted.as_bytes()).unwrap();
        assert_eq!(read_until(&mut client, "\r\n\r\n"), accepted);
        let message = "\x01 GET / HTTP/1.1\r\nMF-Original-URL: x\r\n\r\n";
        client.write_all(message.as_bytes()).unwrap();
        assert_eq!(read_until(&mut server, "\r\n\r\n"), message);
        server.write_all(b"\x02 pong").unwrap();
        assert_eq!(read_until(&mut client, "pong"), "\x02 pong");
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_until(&mut server, "nothing"), "");
    }

    #[test]
    fn a_response_before_the_end_of_the_request_is_complete() {
        for body in [
            "Content-Length: 8000000\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n7A1200\r\n",
        ] {
            let relayed = Relayed::new();
            let mut client = relayed.client();
            let serving = thread::spawn(move || {
                let (mut server, _) = relayed.server.accept().unwrap();
                let mut few = [0; 1000];
                server.read_exact(&mut few).unwrap();
                server
                    .write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 20000\r\n\r\n")
                    .unwrap();
                server.write_all(&[b'x'; 10_000].repeat(2)).unwrap();
                // Unread bytes: the system resets the connection.
                drop(server);
            });
            let mut writing = client.try_clone().unwrap();
            let is_chunked = body.starts_with("Transfer");
            let head = format!("POST / HTTP/1.1\r\n{body}");
            writing.write_all(head.as_bytes()).unwrap();
            for _ in 0..80 {
                writing.write_all(&vec![b'y'; 100_000]).unwrap();
            }
            if is_chunked {
                writing.write_all(b"\r\n0\r\n\r\n").unwrap();
            }
            writing.shutdown(Shutdown::Write).unwrap();
            let mut response = String::new();
            client.read_to_string(&mut response).unwrap();
            assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
            assert_eq!(response.matches('x').count(), 20_000);
            serving.join().unwrap();
        }
    }

    #[test]
    fn requests_wait_for_the_next_runtime_and_lost_ones_are_answered() {
        let relayed = Relayed::new();
        let mut lost = relayed.client();
        lost.write_all(b"POST /client/v4/x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
            .unwrap();
        let (mut server, _) = relayed.server.accept().unwrap();
        read_until(&mut server, "abc");
        relayed.gate.close("A Worker did not return.");
        drop(server);
        let answer = read_until(&mut lost, "}\n");
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains(r#""message":"A Worker did not return. Send the request again.""#),
            "{answer}"
        );

        let mut waiting = relayed.client();
        waiting.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let next = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        relayed.gate.open(next.local_addr().unwrap().port());
        let (mut server, _) = next.accept().unwrap();
        read_until(&mut server, "\r\n\r\n");
        server.write_all(OK.as_bytes()).unwrap();
        assert_eq!(read_until(&mut waiting, "ok"), OK);
    }

    #[test]
    fn a_request_is_sent_again_if_the_runtime_ends_an_idle_connection() {
        let relayed = Relayed::new();
        let mut client = relayed.client();
        let request = b"GET / HTTP/1.1\r\n\r\n";
        client.write_all(request).unwrap();
        let (mut server, _) = relayed.server.accept().unwrap();
        read_until(&mut server, "\r\n\r\n");
        server.write_all(OK.as_bytes()).unwrap();
        assert_eq!(read_until(&mut client, "ok"), OK);
        client.write_all(request).unwrap();
        read_until(&mut server, "\r\n\r\n");
        drop(server);
        let (mut server, _) = relayed.server.accept().unwrap();
        read_until(&mut server, "\r\n\r\n");
        server.write_all(OK.as_bytes()).unwrap();
        assert_eq!(read_until(&mut client, "ok"), OK);
        // A request that may have had an effect is not.
        client
            .write_all(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        let (mut other, _) = relayed.server.accept().unwrap();
        read_until(&mut other, "\r\n\r\n");
        drop(other);
        assert!(read_until(&mut client, "}\n").starts_with("HTTP/1.1 503 "));
    }

    #[test]
    fn a_request_that_finds_no_runtime_waits_for_the_next_one() {
        let Relayed { server, gate, port } = Relayed::new();
        drop(server);
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        client
            .write_all(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        // The supervisor sees the end later.
        thread::sleep(Duration::from_millis(100));
        gate.close("It ended.");
        let next = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        gate.open(next.local_addr().unwrap().port());
        let (mut server, _) = next.accept().unwrap();
        read_until(&mut server, "\r\n\r\n");
        server.write_all(OK.as_bytes()).unwrap();
        assert_eq!(read_until(&mut client, "ok"), OK);
    }

    #[test]
    fn a_response_that_cannot_be_read_is_not_taken_for_a_restart() {
        let headers = "a: b\r\n".repeat(1001);
        let (_, answer) = relayed(
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            &format!("HTTP/1.1 200 OK\r\n{headers}\r\n"),
        );
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }

    #[test]
    fn a_client_that_goes_away_ends_the_request() {
        let relayed = Relayed::new();
        let mut client = relayed.client();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let (mut server, _) = relayed.server.accept().unwrap();
        read_until(&mut server, "\r\n\r\n");
        drop(client);
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
    }
}
