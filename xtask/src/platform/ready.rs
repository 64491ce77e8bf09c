use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{Stop, Wrangler};

/// The path of the dispatch Worker's health document, on a host that no rule serves.
const HEALTH: &str = "/.well-known/dispatcher";
/// The header that marks the dispatch Worker's own errors.
const ERROR_HEADER: &str = "X-Dispatch-Error";

/// How long a start waits before it looks again.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits for a platform that starts, until a time limit.
pub struct Start<'a> {
    began: Instant,
    limit: Duration,
    stop: &'a Stop,
}

impl<'a> Start<'a> {
    /// A start that begins now.
    pub fn new(limit: Duration, stop: &'a Stop) -> Self {
        Self {
            began: Instant::now(),
            limit,
            stop,
        }
    }

    /// Waits for the port on which wrangler serves.
    ///
    /// # Errors
    /// When wrangler ends or does not serve in time, with its last output, or when the stop is requested.
    pub fn wait_for_port(&self, wrangler: &mut Wrangler) -> Result<u16> {
        self.wait(wrangler, Wrangler::port)
    }

    /// Waits until the dispatch Worker answers on the platform's port.
    ///
    /// # Errors
    /// Like [`wait_for_port`](Self::wait_for_port).
    pub fn wait_until_served(&self, wrangler: &mut Wrangler, port: u16) -> Result<()> {
        let address = format!("http://127.0.0.1:{port}{HEALTH}");
        self.wait(wrangler, |_| is_served(&address).then_some(()))
    }

    fn wait<T>(&self, wrangler: &mut Wrangler, done: impl Fn(&Wrangler) -> Option<T>) -> Result<T> {
        while self.began.elapsed() < self.limit {
            if let Some(status) = wrangler.exited()? {
                bail!(
                    "wrangler ended ({status}) before it served; its last output:\n{}",
                    wrangler.last_output()
                );
            }
            if let Some(result) = done(wrangler) {
                return Ok(result);
            }
            if self.stop.wait(PAUSE) {
                bail!("stopped before the platform was ready");
            }
        }
        bail!(
            "the platform does not answer after {} s; wrangler's last output:\n{}",
            self.limit.as_secs(),
            wrangler.last_output()
        );
    }
}

/// Whether the dispatch Worker answers with its health document or with one of its own errors. With an invalid `ROUTES`,
/// for example, the platform starts and its pages show the error.
fn is_served(address: &str) -> bool {
    let answer = ureq::get(address)
        .config()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .call();
    answer.is_ok_and(|answer| answer.status().is_success() || answer.headers().contains_key(ERROR_HEADER))
}
