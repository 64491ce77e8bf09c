//! The configuration of the repository, and its commands.

mod deploy;
mod dev;
mod environment_variables;
