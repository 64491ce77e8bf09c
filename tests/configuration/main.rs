//! The configuration of the repository, and its commands.

mod check;
mod deadlines;
mod deploy;
mod dev;
mod route;
mod wrangler_dev;
