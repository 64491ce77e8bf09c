//! Cloudflare's own API. Only `setup` and `migrate cutover` call it; every other command calls the deploy API.
//!
//! [`TokenArguments`] finds the token, [`BaseUrl`] the address, [`Cloudflare`] makes the calls, and [`CloudflareError`] says why one
//! failed: [`CloudflareError::is_permission_missing`] tells a missing permission from other refusals, so that the caller can name it.

mod base_url;
mod client;
mod error;
mod exchange;
#[cfg(test)]
pub mod scripted;
mod token;

pub use base_url::BaseUrl;
pub use client::Cloudflare;
pub use error::CloudflareError;
pub use token::TokenArguments;
