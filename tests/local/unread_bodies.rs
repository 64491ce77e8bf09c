//! A Worker that answers without reading a large request with a length: the client gets the whole response.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use anyhow::Result;
use dotdo_names::Environment::Production;
use end_to_end::{Platform, Script};

/// The length of a request's body, in bytes.
const LENGTH: usize = 8_000_000;
/// More than half of such requests failed when the connection was closed with unread bytes.
const REQUESTS: usize = 10;

/// Sends everything, and only then reads the response, as simple clients do.
fn send(port: u16) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let body = vec![b'x'; LENGTH];
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: denying.do\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n"
    )?;
    stream.write_all(&body)?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}

#[end_to_end::test]
async fn a_response_before_the_end_of_a_large_request_is_complete() -> Result<()> {
    let platform = Platform::shared();
    let script =
        Script::module("export default { fetch: () => new Response('not permitted', { status: 401 }) };");
    platform.deploy(Production, "denying", &script).await?;
    for request in 0..REQUESTS {
        let response = send(platform.port())?;
        assert!(response.starts_with("HTTP/1.1 401 "), "{request}: {response}");
        assert!(response.contains("not permitted"), "{request}: {response}");
    }
    Ok(())
}
