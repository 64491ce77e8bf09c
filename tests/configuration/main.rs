//! The configuration of the repository, and its commands.

mod check;
mod deploy;
mod dev;
mod environment_variables;
mod route;
