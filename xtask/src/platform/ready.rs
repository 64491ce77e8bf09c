use std::{
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::{Stop, Wrangler};

/// The path of the dispatch Worker's health document, on a host that no rule serves.
const HEALTH: &str = "/.well-known/dispatcher";
/// The header that marks the dispatch Worker's own errors.
const ERROR_HEADER: &str = "X-Dispatch-Error";

/// Rejects a port that another program listens on, before anything is started.
pub fn port_is_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(_) => bail!(
            "port {port} is in use: stop the program that listens on it, or choose another port with --port"
        ),
    }
}

/// Waits until the dispatch Worker answers on the platform's port.
pub fn wait(wrangler: &mut Wrangler, port: u16, limit: Duration, stop: &Stop) -> Result<()> {
    let begin = Instant::now();
    let address = format!("http://127.0.0.1:{port}{HEALTH}");
    while begin.elapsed() < limit {
        if let Some(status) = wrangler.exited()? {
            bail!(
                "wrangler ended ({status}) before it served; its last output:\n{}",
                wrangler.last_output()
            );
        }
        if is_served(&address) {
            return Ok(());
        }
        if stop.wait(Duration::from_millis(100)) {
            bail!("stopped before the platform was ready");
        }
    }
    bail!(
        "the platform does not answer after {} s; wrangler's last output:\n{}",
        limit.as_secs(),
        wrangler.last_output()
    );
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
