//! The local platform: its REST API, and what it keeps.

mod access;
mod durability;
mod envelope;
mod modules;
mod namespaces;
mod refusals;
mod scripts;
mod sdk;
mod wrangler_deploys;
