use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

/// What a relay does with a request instead of passing it on and back.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with a status and Cloudflare's envelope, and does not pass it on.
    Status(u16),
    /// Answers 429 with `Retry-After`, and does not pass it on.
    RateLimit {
        /// In seconds.
        retry_after: u32,
    },
    /// Answers with a page of HTML and this status, as a proxy that fails does.
    Html(u16),
    /// Never answers, and does not pass it on.
    Hang,
    /// Closes the connection without an answer.
    Close,
    /// Passes it on, and closes in the middle of the answer.
    CloseMidway,
    /// Passes it on, and closes without an answer: what was asked for is done, and nobody is told.
    LoseAnswer,
    /// Closes without an answer, and passes it on after a while: what was asked for is done late.
    Late(Duration),
    /// Holds the request until it is let go, and passes it on then.
    HoldBefore(Hold),
    /// Passes it on at once, and holds the answer until it is let go.
    HoldAfter(Hold),
}

/// A request or an answer that a relay holds.
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

    /// Lets it go.
    pub fn release(&self) {
        self.released.notify_one();
    }

    pub(super) async fn hold(&self) {
        self.reached.notify_one();
        self.released.notified().await;
    }
}

/// What goes wrong with the requests to come.
pub(super) struct Planned {
    pub method: &'static str,
    pub part: String,
    pub fault: Fault,
    pub left: usize,
}
