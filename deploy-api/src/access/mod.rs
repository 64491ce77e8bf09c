//! Authentication and authorization of a message, and the records of denials in the audit log.
//!
//! [`Access`] is what the ledger needs for one message. Nothing here waits.

mod authenticate;
mod authorize;
mod record;

use jiff::Timestamp;

pub use authenticate::authentication_failed;
pub use authorize::Allowed;
pub(crate) use authorize::permission_denied;

use crate::audit::Client;
use crate::cursor::CursorKey;
use crate::sql::Sql;
use crate::store::policies::PolicyCache;

/// What the ledger needs to decide about one message.
#[derive(Debug)]
pub struct Access<'a, S: Sql> {
    /// The database with tokens, policies and the audit log.
    pub sql: &'a S,
    /// The active policy, parsed once for each version.
    pub policies: &'a PolicyCache,
    /// Seals the cursors of lists.
    pub cursors: &'a CursorKey,
    /// Where the request came from.
    pub client: &'a Client,
    /// The time now.
    pub now: Timestamp,
}
