//! The calls of wrangler (`/client/v4`): which are supported, and the errors for all others.
//!
//! A call is first parsed into a [`Route`]. A call that is not in the list never reaches the upstream,
//! and a call in the list reaches it only through a URL that is built from the parsed parts.

mod account;
mod account_deploy;
mod account_hosts;
mod account_version;
mod account_worker;
mod asset_session;
mod asset_upload;
mod base_url;
mod bulk_secrets;
mod envelope;
mod path;
mod product;
mod query;
mod refused;
mod resources;
mod response;
mod route;
mod script;
mod secrets;
mod serve;
mod settings;
mod single_asset_upload;
mod upload;
mod worker_target;

pub use base_url::wrong_base_url;
pub use envelope::{Absent, Envelope, Message};
pub use path::{BASE, segments};
pub use product::Product;
pub use response::of_problem;
pub use route::Route;
pub use script::Part;
pub use serve::serve;
