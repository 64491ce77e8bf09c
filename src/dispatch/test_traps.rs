//! Traps that the end-to-end tests ask for. Without the feature `test-traps`, which no deployed build has, they are
//! compiled to nothing.

use web_sys::Headers;

/// A point in the handling of a request.
#[derive(Clone, Copy)]
pub enum Point {
    /// The destination is known.
    Resolved,
    /// The namespace returned the Worker.
    GotWorker,
    /// The request was sent to the user Worker.
    Forwarded,
    /// The user Worker rejected the request.
    Rejected,
    /// The handling of the request trapped.
    Trapped,
    /// The user Worker answered a request whose prefix was stripped.
    Answered,
}

/// Traps if the header `X-Test-Trap` of a request, or of a response, contains `panic@<point>` or `unreachable@<point>`.
#[expect(clippy::panic, reason = "the end-to-end tests need a real panic")]
pub fn trap_at(point: Point, headers: impl FnOnce() -> Headers) {
    if !cfg!(feature = "test-traps") {
        return;
    }
    let point = match point {
        Point::Resolved => "resolved",
        Point::GotWorker => "got-worker",
        Point::Forwarded => "forwarded",
        Point::Rejected => "rejected",
        Point::Trapped => "trapped",
        Point::Answered => "answered",
    };
    let header = headers().get("X-Test-Trap").ok().flatten().unwrap_or_default();
    for element in header.split(',') {
        match element.trim().split_once('@') {
            Some(("panic", at)) if at == point => panic!("a test asked for this panic at {point}"),
            Some(("unreachable", at)) if at == point => core::arch::wasm32::unreachable(),
            _ => {}
        }
    }
}
