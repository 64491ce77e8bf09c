use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::bindings::message_of;
use super::log::Line;
use crate::sql::DurableObjectStorage;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &DurableObjectStorage, milliseconds: f64) -> Result<Promise, JsValue>;
}

/// The Durable Object's alarm, which wakes the sweeper even when the process has ended and nobody calls.
#[derive(Default)]
pub struct Alarm {
    set: Cell<Option<Timestamp>>,
}

impl Alarm {
    /// Lets the alarm go off after a while, unless it does so earlier anyway. The platform makes this durable together
    /// with what the database is told in the same turn, and before anything is sent out.
    pub fn wake(&self, storage: &DurableObjectStorage, now: Timestamp, after: SignedDuration) {
        let at = now.saturating_add(after).unwrap_or(now);
        if self.set.get().is_some_and(|set| now < set && set <= at) {
            return;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 stay far below 2^53"
        )]
        let milliseconds = at.as_millisecond() as f64;
        match storage.set_alarm(milliseconds) {
            Ok(promise) => {
                self.set.set(Some(at));
                wasm_bindgen_futures::spawn_local(async move {
                    if let Err(thrown) = JsFuture::from(promise).await {
                        Line::error("The alarm could not be set", &message_of(&thrown)).write();
                    }
                });
            }
            Err(thrown) => Line::error("The alarm could not be set", &message_of(&thrown)).write(),
        }
    }

    /// Tells that the alarm has gone off.
    pub fn went_off(&self) {
        self.set.set(None);
    }
}
