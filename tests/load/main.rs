//! Much at once, and much in one piece. Each test has the platform to itself, so that what it measures is its own.

mod large_bodies;
mod many_at_once;

use end_to_end::Platform;
use tokio::sync::{Mutex, MutexGuard};

/// The platform, and the turn to use it.
async fn platform() -> (&'static Platform, MutexGuard<'static, ()>) {
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    (Platform::shared(), turn)
}
