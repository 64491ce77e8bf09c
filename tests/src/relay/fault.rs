use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

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
    /// Closes the connection without a response, and forwards later: the change is made late.
    Late(Duration),
    /// Holds the request until it is released, then forwards.
    HoldBefore(Hold),
    /// Forwards at once, and holds the response until it is released.
    HoldAfter(Hold),
}

/// A request or a response that a relay holds.
#[derive(Clone, Debug, Default)]
pub struct Hold {
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

impl Hold {
    /// Waits until the relay holds something.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Releases it.
    pub fn release(&self) {
        self.released.notify_one();
    }

    pub(super) async fn hold(&self) {
        self.reached.notify_one();
        self.released.notified().await;
    }
}

/// A fault for later requests.
pub(super) struct Planned {
    pub method: &'static str,
    pub part: String,
    pub fault: Fault,
    pub left: usize,
}
