//! A server with answers in a fixed order, for tests of calls that the local platform does not have.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use super::base_url::BaseUrl;
use super::client::Cloudflare;

/// A server that answers one connection after the other, and returns the requests.
pub fn server(answers: Vec<(u16, String)>) -> (Cloudflare, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = thread::spawn(move || {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = connection.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..read]);
            }
            requests.push(String::from_utf8(request).unwrap());
            let length = body.len();
            write!(
                connection,
                "HTTP/1.1 {status} X\r\nretry-after: 0\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
        requests
    });
    let base = BaseUrl::parse(&format!("http://{address}/client/v4")).unwrap();
    (Cloudflare::new(base, "secret-token".to_owned().into()), served)
}

/// A result in Cloudflare's envelope.
pub fn success(result: &Value, info: &Value) -> (u16, String) {
    let envelope =
        json!({ "success": true, "errors": [], "messages": [], "result": result, "result_info": info });
    (200, envelope.to_string())
}

/// An error in Cloudflare's envelope.
pub fn failure(status: u16, code: i64) -> (u16, String) {
    let envelope =
        json!({ "success": false, "errors": [{ "code": code, "message": "Broken" }], "result": null });
    (status, envelope.to_string())
}
