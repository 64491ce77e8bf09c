//! The local platform: its REST API, and what it keeps.

mod access;
mod durability;
mod envelope;
mod modules;
mod namespaces;
mod own_clients;
mod refusals;
mod scripts;
mod wrangler_deploys;
