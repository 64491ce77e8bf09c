//! The configuration of the repository, and its commands.
#![expect(
    clippy::indexing_slicing,
    reason = "a test that does not find what it looks for has failed"
)]

mod check;
mod deploy;
mod dev;
mod environment_variables;
mod route;
