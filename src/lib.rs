//! The dispatch Worker: it finds the user Worker that a request's hostname names, and forwards the request to it.
//!
//! [`routing`] is pure: it takes the text of a URL and returns a route. `errors` and the cache in `hostnames` are pure as
//! well. `dispatch` has the `fetch` handler; its parts that use the Workers runtime, through the `worker` crate, are compiled
//! for Wasm only.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(
        dead_code,
        unused_imports,
        reason = "the handler, which uses these modules, is compiled for Wasm only"
    )
)]

mod configuration;
mod dispatch;
mod errors;
mod hostnames;
pub mod routing;
