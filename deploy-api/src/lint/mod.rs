//! What is known to go wrong with an upload, said before it does: with the exact binding or name, and the fix.

mod metadata;
mod name;

pub use metadata::{Findings, Refusal, ServiceBinding, idle_handlers, metadata, unreachable_service};
pub use name::routable;
