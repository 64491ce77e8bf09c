//! Many requests at once, and large bodies. The tests run one after the other, so that none affects the measurements of
//! another.

mod large_bodies;
mod many_at_once;

use end_to_end::Platform;
use tokio::sync::{Mutex, MutexGuard};

/// The shared platform, and the lock for its use.
async fn platform() -> (&'static Platform, MutexGuard<'static, ()>) {
    static LOCK: Mutex<()> = Mutex::const_new(());
    let guard = LOCK.lock().await;
    (Platform::shared(), guard)
}
