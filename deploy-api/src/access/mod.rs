//! The way in: from a request's credential to a caller, from a caller to a decision, and everything on record.
//!
//! [`Access`] is what one request needs for that. It decides within one turn of the Durable Object: nothing here waits.

mod authenticate;
mod authorize;
mod began;
mod record;

use jiff::Timestamp;

pub use authorize::Allowed;
pub(crate) use authorize::permission_denied;

use crate::audit::Client;
use crate::identity::BootstrapSecret;
use crate::sql::Sql;
use crate::store::policies::PolicyCache;

/// What is needed to let one request in.
#[derive(Debug)]
pub struct Access<'a, S: Sql> {
    /// Where tokens, policies and the audit log are.
    pub sql: &'a S,
    /// The policy that holds, parsed once for each version.
    pub policies: &'a PolicyCache,
    /// The bootstrap administrator's secret, if one is configured.
    pub bootstrap: Option<&'a BootstrapSecret>,
    /// Where the request came from.
    pub client: &'a Client,
    /// When it came.
    pub now: Timestamp,
}
