//! The Workers of the account that are in no namespace, and what leads to them: the inventory from which a migration is planned.
//!
//! Each item is read by a few calls of the Cloudflare API, and values of variables and secrets are left out. What the token of the
//! deploy API may not read is listed as [`Unreadable`] with the permission, and is never reported as empty.

mod hosts;
mod name;
mod objects;
mod queues;
mod reading;
mod scripts;
mod worker;

pub use hosts::{AccountHost, AccountHosts, HostKind, hosts};
pub use name::{AccountWorkerName, InvalidAccountWorkerName};
pub use objects::ObjectNamespace;
pub use queues::{AccountQueues, QueueConsumer, queues};
pub use reading::Unreadable;
pub use scripts::{ListedWorker, scripts};
pub use worker::{AccountBinding, AccountWorker, inspect, settings};
