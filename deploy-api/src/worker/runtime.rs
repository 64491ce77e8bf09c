use jiff::Timestamp;
use wasm_bindgen_futures::JsFuture;

use super::bindings::{get_random_values, message_of, wait};
use super::log::Line;
use super::surroundings::Surroundings;
use crate::engine::Runtime;

/// The time, which the platform lets move on only while a request waits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole number of milliseconds, far below 2^53"
)]
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(js_sys::Date::now() as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Runtime for Surroundings {
    fn now(&self) -> Timestamp {
        now()
    }

    #[expect(clippy::panic, reason = "without random numbers no token may be made")]
    fn entropy(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        if let Err(thrown) = get_random_values(&mut bytes) {
            Line::error("There are no random numbers", &message_of(&thrown)).write();
            panic!("there are no random numbers");
        }
        bytes
    }

    async fn pause(&self, milliseconds: u32) {
        if let Ok(promise) = wait(milliseconds) {
            // Nothing ends it early but the end of the request, which ends this as well.
            let _ = JsFuture::from(promise).await;
        }
    }
}
