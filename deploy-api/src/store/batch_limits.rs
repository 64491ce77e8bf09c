//! The limits of one read of the audit log: a page, or a batch of consecutive entries.

use crate::sql::{Row, SqlError};

/// The most bytes of stored JSON in a page of the log. An entry that is larger is a page by itself.
pub const MAX_PAGE_BYTES: u64 = 1024 * 1024;

/// How many entries are read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most entries.
    pub entries: u32,
    /// The most bytes of stored JSON, unless the first entry alone has more.
    pub bytes: u64,
}

impl BatchLimits {
    /// The limits of one step of a verification.
    pub const STEP: Self = Self {
        entries: 1000,
        bytes: MAX_PAGE_BYTES,
    };

    /// How many entries of these lengths are read: at least one, if there is one.
    pub(super) fn fitting(self, lengths: impl IntoIterator<Item = u64>) -> usize {
        let mut total: u64 = 0;
        let most = usize::try_from(self.entries).unwrap_or(usize::MAX);
        lengths
            .into_iter()
            .take(most)
            .enumerate()
            .take_while(|(index, length)| {
                total = total.saturating_add(*length);
                *index == 0 || total <= self.bytes
            })
            .count()
    }
}

/// The lengths in a column of rows.
pub(super) fn lengths(rows: &[Row], column: usize) -> Result<Vec<u64>, SqlError> {
    rows.iter().map(|row| row.unsigned(column)).collect()
}
