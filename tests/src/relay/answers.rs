use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::{Response, StatusCode, body::Frame, header};

use crate::loopback::{Body, BrokenOff, whole};

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
        Err(BrokenOff),
    ];
    Response::from_parts(
        head,
        BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames))),
    )
}
