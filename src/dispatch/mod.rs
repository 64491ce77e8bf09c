//! The `fetch` handler: resolve the route, forward the request to the user Worker, or answer with an error.
//!
//! `handler` is the central file. The modules that use the Workers runtime are compiled for Wasm only and tested end to end.

mod analytics;
mod destination;
mod failure_log;
mod health;
mod request_url;
mod resolver;

#[cfg(target_arch = "wasm32")]
mod handler;
#[cfg(target_arch = "wasm32")]
mod in_flight;
#[cfg(target_arch = "wasm32")]
mod isolate;
#[cfg(target_arch = "wasm32")]
mod namespace;
#[cfg(target_arch = "wasm32")]
mod request_headers;
#[cfg(target_arch = "wasm32")]
mod respond;
#[cfg(target_arch = "wasm32")]
mod test_traps;
#[cfg(target_arch = "wasm32")]
mod worker_names;

/// Needs a third of the bytes of the standard allocator, and constant time for each allocation.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
