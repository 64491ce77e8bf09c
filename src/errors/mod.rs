//! Errors that the dispatch Worker answers with: their codes, how a failure is classified, and how it is shown to the client
//! and in the log. Nothing here knows the Workers runtime.

mod classification;
mod code;
mod document;
mod failure;
mod log_line;
mod page;

pub use code::Code;
pub use document::Representation;
pub use failure::{Failure, Target};
pub use log_line::{is_ray, log_line, truncated_cause};
