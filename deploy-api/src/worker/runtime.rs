use std::time::Duration;

use jiff::Timestamp;
use wasm_bindgen::JsCast;
use web_sys::{Crypto, WorkerGlobalScope};
use worker::Delay;

use super::log::Line;
use super::services::Services;
use crate::runtime::Runtime;

/// The current time. The platform's clock only advances while a request waits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole number of milliseconds, far below 2^53"
)]
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(js_sys::Date::now() as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The size of the Wasm memory of this instance, in bytes. It never shrinks, so it is also the peak.
fn wasm_memory_bytes() -> u64 {
    const PAGE: u64 = 65_536;
    u64::try_from(core::arch::wasm32::memory_size::<0>())
        .unwrap_or_default()
        .saturating_mul(PAGE)
}

/// A random UUID (version 4).
pub fn random_uuid() -> String {
    crypto().map(|crypto| crypto.random_uuid()).unwrap_or_default()
}

fn crypto() -> Option<Crypto> {
    let global: WorkerGlobalScope = js_sys::global().unchecked_into();
    global.crypto().ok()
}

/// The runtime of Workers.
pub struct WorkersRuntime;

impl Runtime for WorkersRuntime {
    fn now(&self) -> Timestamp {
        now()
    }

    #[expect(clippy::panic, reason = "without random numbers no token may be created")]
    fn entropy(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let filled =
            crypto().is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).is_ok());
        if !filled {
            Line::error("There are no random numbers", "crypto.getRandomValues failed").write();
            panic!("there are no random numbers");
        }
        bytes
    }

    fn pause(&self, milliseconds: u32) -> impl Future<Output = ()> {
        Delay::from(Duration::from_millis(milliseconds.into()))
    }

    fn wasm_memory_bytes(&self) -> Option<u64> {
        Some(wasm_memory_bytes())
    }
}

impl Runtime for Services {
    fn now(&self) -> Timestamp {
        now()
    }

    fn entropy(&self) -> [u8; 16] {
        WorkersRuntime.entropy()
    }

    fn pause(&self, milliseconds: u32) -> impl Future<Output = ()> {
        WorkersRuntime.pause(milliseconds)
    }

    fn wasm_memory_bytes(&self) -> Option<u64> {
        Some(wasm_memory_bytes())
    }
}
