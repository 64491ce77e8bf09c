use std::{future, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::{Response, StatusCode, body::Frame, header};
use tokio::sync::Notify;

use crate::loopback::{Body, EndsEarly, whole};

/// What a relay does with a request instead of forwarding it and its response.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Responds with a status and Cloudflare's envelope, without forwarding.
    Status(u16),
    /// Responds with 429 and `Retry-After`, without forwarding.
    RateLimit {
        /// In seconds.
        retry_after: u32,
    },
    /// Responds with an HTML page and this status, like a failing proxy.
    Html(u16),
    /// Never responds, and does not forward.
    Hang,
    /// Closes the connection without a response.
    Close,
    /// Forwards, and closes the connection in the middle of the response.
    CloseMidway,
    /// Forwards, and closes the connection without a response: the change is made, and the client does not know.
    LoseAnswer,
    /// The same, and responds with 503 to the later reads of the part, until its faults are removed: the client cannot find out
    /// either.
    LoseAnswerAndReads,
    /// Closes the connection without a response, and forwards later: the change is made late.
    Late(Duration),
    /// Holds the request for ever: the upstream does not receive it.
    HoldBefore(Hold),
    /// Forwards, and holds the response for ever: the change is made, and the client does not know.
    HoldAfter(Hold),
}

/// A request or a response that a relay holds.
#[derive(Clone, Debug, Default)]
pub struct Hold {
    reached: Arc<Notify>,
}

impl Hold {
    /// Waits until the relay holds something.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Holds it for ever: the connection ends with its client.
    pub(super) async fn hold(&self) -> Option<Response<Body>> {
        self.reached.notify_one();
        future::pending().await
    }
}

/// A fault for later requests.
pub(super) struct Planned {
    pub method: &'static str,
    pub part: String,
    pub fault: Fault,
    pub left: usize,
}

/// A failure in Cloudflare's envelope.
pub(super) fn envelope(status: u16) -> Response<Body> {
    let body = serde_json::json!({
        "success": false, "result": null, "messages": [],
        "errors": [{ "code": 10013, "message": "An unknown error has occurred." }],
    });
    with_status(status, "application/json", body.to_string())
}

/// The error page of a proxy.
pub(super) fn page(status: u16) -> Response<Body> {
    with_status(
        status,
        "text/html",
        "<html><h1>Bad gateway</h1></html>".to_owned(),
    )
}

fn with_status(status: u16, media_type: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    answer
}

/// The same response, which ends after its first bytes.
pub(super) fn cut_off(answer: Response<Body>) -> Response<Body> {
    let (head, _) = answer.into_parts();
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"{\"success\": tr"))),
        Err(EndsEarly),
    ];
    Response::from_parts(
        head,
        BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames))),
    )
}
