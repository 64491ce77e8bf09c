//! What is set up in each Wasm instance, and the recovery after a trap.
//!
//! The start function of `worker` is not emitted (see `xtask/src/build/wasm.rs`): its trap handler lets the next call
//! replace the instance, but it leaves the requests in flight without a response. `entry.js` calls [`start`] instead.

use std::panic;

use wasm_bindgen::prelude::*;

use super::log::Line;

#[wasm_bindgen]
extern "C" {
    /// A function of `entry.js`: it rejects the requests in flight, which would otherwise wait forever, and makes the next
    /// request use a new Wasm instance.
    #[wasm_bindgen(js_namespace = globalThis, js_name = deployApiTrapped)]
    fn trapped();
}

/// Sets up a new Wasm instance. `entry.js` calls this before any other function of the instance.
#[wasm_bindgen]
pub fn start() {
    panic::set_hook(Box::new(|information| {
        Line::error("The deploy API panicked", &information.to_string()).write();
    }));
    wasm_bindgen::handler::set_on_abort(trapped);
}
