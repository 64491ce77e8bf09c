//! Runs the crons of account Workers: calls the Worker `local` once in each minute. No timer of a Worker runs without a request.

use std::{
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::platform::guard::SECRET_HEADER;

/// The path by which the front Worker calls the clock of the Worker `local`. Clients cannot reach paths below `/cdn-cgi/`.
const PATH: &str = "/cdn-cgi/local-platform/crons";

/// When a call that failed is repeated. The Worker runs the crons of a minute once, however often it is called.
const RETRY: Duration = Duration::from_secs(1);

/// How long a call may take. It does not wait for the handlers.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Calls the clock in each minute.
pub struct CronClock {
    secret: String,
    /// The last minute whose crons run, in minutes since 1970.
    done: u64,
    call: Option<Call>,
    /// When the last call began.
    called: Option<Instant>,
}

/// A call that has no answer yet.
struct Call {
    minute: u64,
    succeeded: Receiver<bool>,
}

impl CronClock {
    /// A clock whose first minute is the next one.
    pub fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            done: current_minute(),
            call: None,
            called: None,
        }
    }

    /// Calls the runtime at this port if a new minute has begun. Does not wait. To be called several times a second.
    pub fn poll(&mut self, port: u16) {
        if let Some(call) = &self.call {
            match call.succeeded.try_recv() {
                Err(TryRecvError::Empty) => return,
                Ok(true) => self.done = call.minute,
                Ok(false) | Err(TryRecvError::Disconnected) => {}
            }
            self.call = None;
        }
        let minute = current_minute();
        let is_early = self.called.is_some_and(|called| called.elapsed() < RETRY);
        if minute > self.done && !is_early {
            self.called = Some(Instant::now());
            self.call = self.start(port, minute);
        }
    }

    fn start(&self, port: u16, minute: u64) -> Option<Call> {
        let address = format!("http://127.0.0.1:{port}{PATH}?minute={minute}");
        let secret = self.secret.clone();
        let (sender, succeeded) = mpsc::channel();
        let calling = thread::Builder::new().spawn(move || {
            let answer = ureq::post(&address)
                .header(SECRET_HEADER, secret)
                .config()
                .timeout_global(Some(TIMEOUT))
                .build()
                .send_empty();
            let _ = sender.send(answer.is_ok());
        });
        calling.is_ok().then_some(Call { minute, succeeded })
    }
}

/// The time in minutes since 1970, UTC.
fn current_minute() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() / 60)
}
