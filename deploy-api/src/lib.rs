//! The deploy API: who asks ([`identity`]), what they may do ([`policy`]), what happened ([`audit`]).
//!
//! These modules are pure: time, randomness, key sets and storage are given to them, so they build and test natively.

pub mod access;
pub mod assets;
pub mod audit;
pub mod bundles;
pub mod code;
pub mod deployments;
pub mod engine;
pub mod gateway;
pub mod identity;
pub mod ledger;
pub mod lint;
pub mod policy;
pub mod probe;
pub mod problem;
pub mod sql;
pub mod store;
pub mod target;
pub mod upload;
pub mod upstream;
pub mod v1;
#[cfg(target_arch = "wasm32")]
pub mod worker;
