//! What is known to go wrong with an upload, said before it does: with the exact binding or name, and the fix.

mod name;

pub use name::routable;
