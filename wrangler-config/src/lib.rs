//! wrangler's configuration files: JSON with comments and trailing commas, and no other extension, as wrangler reads them.

mod file;
mod routes_variable;

pub use file::{SYNTAX, parse, read};
pub use routes_variable::routes;
