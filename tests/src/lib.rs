//! What the end-to-end tests are written with: a [`Platform`] that is started as `npm run dev` starts it, a client for
//! its hosts, and the stock [`wrangler`] that deploys to it.
//!
//! Each test program starts what it needs on ports and state folders of its own, and what it started ends with it,
//! however it ends.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot start its platform has nothing to go on with"
)]

pub mod chaos;
mod client;
mod command;
mod deploy_api;
pub mod issuer;
mod launch;
mod log;
mod loopback;
mod platform;
pub mod processes;
mod project;
pub mod relay;
mod script;
mod shared;
mod until;
mod websocket;
pub mod wrangler;

pub use client::Answer;
pub use command::{Command, Finished};
pub use deploy_api::{DeployApi, worker_path};
pub use issuer::Issuer;
pub use launch::{Options, deploy_api_build, dispatcher_build, repository};
pub use log::Log;
pub use platform::Platform;
pub use project::Project;
pub use relay::Relay;
pub use script::Script;
pub use shared::Shared;
pub use until::until;
pub use websocket::WebSocket;
