//! The deploy API's Worker on the real runtime: what only shows there.

mod bodies;
mod misconfigured;
mod traps;
