//! The dispatch Worker: it finds the user Worker that a request's hostname names, and hands the request over.
//!
//! [`routing`] is pure: it takes the text of a URL and gives a route. The modules beside it are pure as well; only
//! `runtime`, which is compiled for Wasm alone, knows the Workers runtime.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "natively, only tests use what `runtime` uses")
)]

mod code;
mod configuration;
mod destination;
mod error_page;
mod failure;
mod health;
mod hostname_cache;
mod json;
mod log_line;
mod platform_error;
mod problem_document;
mod representation;
mod request_id;
mod request_url;
mod resolver;
pub mod routing;
#[cfg(target_arch = "wasm32")]
mod runtime;
