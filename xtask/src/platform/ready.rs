use std::{
    net::{Ipv4Addr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::Wrangler;

/// The dispatch Worker's own document, on a host that no rule serves.
const HEALTH: &str = "/.well-known/dispatcher";
/// What it marks its own errors with.
const ERROR_HEADER: &str = "X-Dispatch-Error";

/// Refuses a port that something listens on, before anything is started.
pub fn port_is_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(_) => bail!("port {port} is taken: stop what listens there, or choose another with --port"),
    }
}

/// Waits until the dispatch Worker answers through the front door.
pub fn wait(wrangler: &mut Wrangler, port: u16, limit: Duration) -> Result<()> {
    let begin = Instant::now();
    let address = format!("http://127.0.0.1:{port}{HEALTH}");
    while begin.elapsed() < limit {
        if let Some(status) = wrangler.exited()? {
            bail!(
                "wrangler ended ({status}) before it served:\n{}",
                wrangler.last_words()
            );
        }
        if is_served(&address) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!(
        "the platform does not answer after {} s:\n{}",
        limit.as_secs(),
        wrangler.last_words()
    );
}

/// Whether the dispatch Worker itself answers: with its document, or with an error of its own, as when `ROUTES` cannot be
/// loaded, which is for whoever opens a page to see.
fn is_served(address: &str) -> bool {
    let answer = ureq::get(address)
        .config()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .call();
    answer.is_ok_and(|answer| answer.status().is_success() || answer.headers().contains_key(ERROR_HEADER))
}
