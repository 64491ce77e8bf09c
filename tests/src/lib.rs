//! The tools of the end-to-end tests: a [`Platform`] that is started as `npm run dev` starts it, a client for its hosts,
//! and the stock [`wrangler`] that deploys to it.
//!
//! Each test program starts platforms on separate ports and state folders. They end with the program, however it ends.
//! Every test is marked `#[end_to_end::test]`, which gives it a [`deadline`].
#![expect(clippy::expect_used, reason = "a test that cannot start its platform fails")]

mod account;
mod answer;
pub mod chaos;
mod command;
pub mod deadline;
mod deploy_api;
pub mod issuer;
mod launch;
mod log;
mod loopback;
mod options;
mod platform;
mod ports;
pub mod processes;
mod programs;
mod project;
pub mod relay;
mod restarts;
mod script;
pub mod shell;
mod typescript;
pub mod wrangler;
mod wrangler_dev;

pub use account::Account;
pub use answer::Answer;
pub use command::{Command, Finished};
pub use deadline::until;
pub use deploy_api::{DeployApi, worker_path};
pub use end_to_end_attribute::test;
pub use issuer::Issuer;
pub use log::Log;
pub use options::Options;
pub use platform::{Platform, Shared, WebSocket};
pub use ports::free_port;
pub use programs::{
    copy_with_entry, deploy_api_build, dispatcher_build, dotdo, repository, trapping_dispatcher_build,
    workspace_program,
};
pub use project::Project;
pub use relay::Relay;
pub use script::Script;
pub use typescript::typescript_tests;
pub use wrangler_dev::WranglerDev;
