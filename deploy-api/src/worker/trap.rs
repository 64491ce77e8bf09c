use std::panic;

use wasm_bindgen::prelude::*;

use super::log::Line;

#[wasm_bindgen]
extern "C" {
    /// Set by `entry.js`: fails the requests under way, which would otherwise wait for ever, and lets the next one
    /// start from a fresh Wasm instance.
    #[wasm_bindgen(js_namespace = globalThis, js_name = deployApiTrapped)]
    fn trapped();
}

/// Runs whenever the Wasm is instantiated, the first time and after a trap.
#[wasm_bindgen(start, private)]
fn start() {
    panic::set_hook(Box::new(|information| {
        Line::error("The deploy API panicked", &information.to_string()).write();
    }));
    wasm_bindgen::handler::set_on_abort(trapped);
}
