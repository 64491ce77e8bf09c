use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use js_sys::Date;
use wasm_bindgen::JsValue;
use worker::{ScheduledTime, Storage};

use super::log::Line;

/// The Durable Object's alarm. It runs the reconciler even when the process has ended and nobody calls.
#[derive(Default)]
pub struct Alarm {
    /// When it runs, as far as this process has set it.
    set: Cell<Option<Timestamp>>,
}

impl Alarm {
    /// Sets the alarm to run `after` from now, unless it runs earlier anyway. The platform stores this together with what the
    /// database is told in the same turn, and before any response is sent.
    pub fn wake(&self, storage: Storage, now: Timestamp, after: SignedDuration) {
        let at = now.saturating_add(after).unwrap_or(now);
        if self.set.get().is_some_and(|set| now < set && set <= at) {
            return;
        }
        self.set.set(Some(at));
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 stay far below 2^53"
        )]
        let date = Date::new(&JsValue::from_f64(at.as_millisecond() as f64));
        // Polled once now, because the call must happen in this turn; the task observes its end.
        let mut setting = Box::pin(async move { storage.set_alarm(ScheduledTime::new(date)).await });
        let mut first = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready(result) = setting.as_mut().poll(&mut first) {
            report(result);
        } else {
            wasm_bindgen_futures::spawn_local(async move { report(setting.await) });
        }
    }

    /// Records that the alarm runs now, and has to be set again.
    pub fn runs(&self) {
        self.set.set(None);
    }
}

fn report(result: worker::Result<()>) {
    if let Err(error) = result {
        Line::error("The alarm could not be set", &error.to_string()).write();
    }
}
