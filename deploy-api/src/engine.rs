//! What one request needs to look at Workers and to change them.

use jiff::{SignedDuration, Timestamp};

use crate::access::Access;
use crate::bundles::BundleStore;
use crate::deployments::Lines;
use crate::probe::Dispatcher;
use crate::sql::Sql;
use crate::upstream::Upstream;

/// The clock and the random numbers of the runtime.
pub trait Runtime {
    /// The time now, which moves on while a request waits.
    fn now(&self) -> Timestamp;

    /// Fresh bytes from the runtime's cryptographic generator.
    fn entropy(&self) -> [u8; 16];

    /// Waits so many milliseconds.
    fn pause(&self, milliseconds: u32) -> impl Future<Output = ()>;
}

/// Everything outside of the database that the engine speaks to. One value implements all of it.
pub trait Outside: Upstream + BundleStore + Dispatcher + Runtime {}

impl<T: Upstream + BundleStore + Dispatcher + Runtime> Outside for T {}

/// How long a change whose answer was lost may still be at work upstream. Until then, no other change of the same
/// Worker is begun.
pub const SETTLE_AFTER: SignedDuration = SignedDuration::from_secs(90);

/// What one request needs to look at Workers and to change them.
pub struct Engine<'a, S: Sql, O: Outside> {
    /// Who may do what, and the record of what was done.
    pub access: Access<'a, S>,
    /// The upstream, the bundle store, the dispatch Worker, the clock.
    pub outside: &'a O,
    /// Changes of one Worker, one after the other. One of these lives as long as the process.
    pub lines: &'a Lines,
    /// How long a change whose answer was lost may still be at work: [`SETTLE_AFTER`], or less in tests. Longer than
    /// the upstream's timeout.
    pub settle_after: SignedDuration,
}
