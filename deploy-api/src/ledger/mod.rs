//! The ledger: tokens, policy, leases, deployments and the audit log, in one database.

mod message;

pub use message::{LedgerClient, LedgerFailure, Message, send};
