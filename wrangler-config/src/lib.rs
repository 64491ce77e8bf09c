//! The configuration files of this repository for wrangler: JSON with comments and trailing commas, and no other extension, as wrangler
//! reads them, and the values in them that follow from `dotdo.jsonc`.

mod file;
mod platform_worker;
mod routes_variable;
mod setting;

pub use file::{SYNTAX, parse, read};
pub use platform_worker::PlatformWorker;
pub use routes_variable::routes;
pub use setting::{
    ACCOUNT_FILE, ANY_HOST, ENV_FILE, Place, Setting, Zones, settings, variable_in, zone_patterns,
};
