//! The Worker around it all, for Wasm only: one Durable Object that every request goes to, and what it reaches.
//!
//! `entry.js` holds the two classes that the platform wants and hands each request to [`Ledger`], of which there is one
//! for each start of the Durable Object. Nothing is decided here: requests are read, services are called, answers are
//! written.

mod alarm;
mod bindings;
mod bundles;
mod dispatcher;
mod failure;
mod fetch;
mod incoming;
mod key_source;
mod ledger;
mod log;
mod outgoing;
mod runtime;
mod settings;
mod surroundings;
mod trap;
mod upstream;

pub use failure::failed;
pub use ledger::Ledger;
