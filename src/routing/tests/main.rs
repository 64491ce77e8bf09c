//! Routing, seen from outside.

mod builtin;
