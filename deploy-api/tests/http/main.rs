//! `/v1` as its callers see it: from a request line to a status, headers and a body.

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod answers;
mod bodies;
mod refusals;
