//! The part that knows the Workers runtime: thin, because it is compiled for Wasm only and tested end to end.
//!
//! The `worker` crate is left out on purpose. Its binding of a dispatch namespace takes neither limits nor outbound
//! parameters and does not accept what `wrangler dev` puts in its place; its `Request` copies the URL into a parser; and
//! its entry costs a class and two proxies per request. What remains of it here is `web-sys` and the few declarations
//! beside this file.
//!
//! Nothing here is `async`, and no closure outlives a call: a trap inside a task of `wasm-bindgen-futures` leaves its
//! client waiting for ever, and closures end with the instance that made them. Each step of a request is an export
//! instead, given all that it needs, so that a request under way goes on in the instance that follows a trap.

mod analytics;
mod answer;
mod dispatch;
mod header_hygiene;
mod hostnames;
mod isolate;
mod namespace;
mod steps;
mod worker_names;

/// A third of the size of std's own, with constant time for every allocation.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
