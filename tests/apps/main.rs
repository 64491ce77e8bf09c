//! Larger projects, built with current packages and deployed to two environments with the wrangler that they pin.
//!
//! `npm run test:apps` installs and builds them first. `npm test` only compiles this program.
#![expect(clippy::indexing_slicing, reason = "a missing element fails the test")]

mod accounts;
mod project;
mod reminders;
mod shop;
