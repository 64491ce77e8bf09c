//! End-to-end tests of the dispatch Worker: its Wasm runs in workerd and forwards requests to user Workers.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a missing value fails the test"
)]

mod client_disconnects;
mod custom_hostnames;
mod deploys_under_traffic;
mod error_table;
mod failing_namespaces;
mod failing_workers;
mod failure;
mod headers;
mod health;
mod limits_and_outbound;
mod log;
mod methods;
mod platforms;
mod request_ids;
mod responses;
mod routes_variable;
mod routing_pitfalls;
mod routing_table;
mod server_sent_events;
mod stripped_prefixes;
mod traps;
mod web_sockets;
