//! Checks of an upload before it is deployed. They find configurations that cannot work in a namespace, and name the
//! binding or the Worker and the fix.

mod metadata;
mod name;

pub use metadata::{
    Findings, Refusal, ServiceBinding, compatibility, idle_handlers, metadata, only_for_the_account,
    platform_workers, unreachable_service,
};
pub use name::routable;
