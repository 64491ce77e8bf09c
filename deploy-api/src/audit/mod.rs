//! The audit log.
//!
//! An [`Entry`] says who did what to which Worker under which rule, and how it ended. Entries form a chain: each has a
//! sequence number from 1 without gaps, and a hash over the hash before it and its own canonical JSON
//! ([`chain`]). A [`Checkpoint`] is the signed length and head of the chain at a time, so that an auditor who stores one
//! can prove later that nothing before it was rewritten. A [`Segment`] is a part of the chain in the archive.

mod action;
mod annotations;
mod bundle;
pub mod canonical;
pub mod chain;
mod checkpoint;
mod entry;
mod outcome;
mod query;
mod reason;
mod segment;

pub use action::Action;
pub use annotations::{Annotations, MAX_ANNOTATION};
pub use bundle::{Binding, Bundle, Module};
pub use chain::{Broken, Hash, Link, Verified};
pub use checkpoint::{Checkpoint, CheckpointKey, InvalidCheckpoint, InvalidCheckpointKey};
pub use entry::{Authority, Client, Entry, LockRecord, SubjectRecord, Upstream};
pub use outcome::Outcome;
pub use query::{InvalidQuery, Query};
pub use reason::Reason;
pub use segment::{InvalidSegment, Segment, SegmentHeader, SegmentRecord, SegmentSignature};
