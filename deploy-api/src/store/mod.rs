//! What is kept, and the statements that keep it: thin files over [`Sql`](crate::sql::Sql), one for each table.

pub mod audit_log;
pub mod lockouts;
pub mod policies;
pub mod replays;
pub mod tokens;

use crate::sql::Migration;

/// The tables of identities, policies and the audit log, to be given to [`migrate`](crate::sql::migrate) before use.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "identity-0001",
        statements: &[tokens::TABLE, tokens::INDEX],
    },
    Migration {
        name: "identity-0002",
        statements: &[replays::TABLE, replays::INDEX],
    },
    Migration {
        name: "identity-0003",
        statements: &[lockouts::TABLE, lockouts::INDEX],
    },
    Migration {
        name: "policy-0001",
        statements: &[policies::TABLE],
    },
    Migration {
        name: "audit-0001",
        statements: audit_log::TABLES,
    },
];
