//! The repository's configuration, its commands, and the deadlines of these tests.

mod deadlines;
mod deploy;
mod dev;
mod route;
mod wrangler_dev;
