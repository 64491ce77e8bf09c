use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use anyhow::{Context, Result};

/// Ports that systems do not give to connections or to programs that ask for any free port. Other tests make thousands of
/// connections, so a port outside of this range can be taken between this choice and the start of the platform.
const PORTS: Range<u16> = 10_000..32_000;
/// How many ports are tried.
const ATTEMPTS: usize = 100;

/// A loopback port that no program listens on now, chosen at random.
///
/// # Errors
/// When every port that is tried is in use.
pub fn free_port() -> Result<u16> {
    (0..ATTEMPTS)
        .map(|_| rand::random_range(PORTS))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .context("cannot find a free port")
}
