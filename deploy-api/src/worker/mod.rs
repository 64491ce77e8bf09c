//! The Worker around the deploy API, for Wasm only: its entry points, and the services that it calls.
//!
//! `entry.js` exports what the platform calls: the default handler ([`gateway`]), the class of the Durable Object
//! ([`Ledger`]) and the entrypoint of the [`reconciler`]. Each of them calls Rust. This module contains no decisions: requests are
//! read, services are called, responses are written.
//!
//! One rule for the gateway: a task that waits must only be woken by a promise of the same request. The runtime binds
//! streams and calls to the request that created them, so a lock or channel of `futures` that is shared by requests makes
//! one request run in the context of another.

mod alarm;
mod chunks;
mod dispatcher;
mod fetch;
mod gateway;
mod incoming;
mod key_source;
mod ledger;
mod ledger_client;
mod log;
mod logs;
mod object_store;
mod reconciler;
mod response;
mod runtime;
mod services;
mod settings;
mod start;
mod upstream;
mod upstream_body;
